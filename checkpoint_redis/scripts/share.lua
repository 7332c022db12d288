-- needs: lib.lua format.lua frozen.lua parts.lua
-- What of results that are beside a checkpoint stands in values of a later one too is kept there alone.
-- KEYS[1] header. ARGV[1] {ns, cp, results}; results: PARTED of some of its tasks -> how many are so
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local at = A.ns .. '|' .. A.cp
local text = cget(FIELD.left .. at)
-- The checkpoint was removed meanwhile.
if not text then return 0 end
local sizes, given, waits = {}, 0, call('EXISTS', Z) == 1

local function reaches(span)
  local name = FIELD.channel .. A.ns .. '|' .. span[SPAN.name]
  -- A frozen one is small.
  sizes[name] = sizes[name] or math.max(call('HSTRLEN', C, name), waits and #(cget(name) or '') or 0)
  return span[SPAN.start] + span[SPAN.length] - 1 <= sizes[name]
end

-- A result in parts, or nil where it is that already, or where not all of them are there.
local function parted(result, spans)
  if not result then return end
  local already = string.find(result, '^%d')
  for _, span in ipairs(already and {} or spans) do
    if not reaches(span) then return end
  end
  given = given + 1
  return not already and without(result, spans)
end

local function share_large()
  local key = P .. KEY.left .. at
  for _, row in ipairs(A.results) do
    local tid = row[PARTED.tid]
    local result = parted(call('HGET', key, tid), row[PARTED.spans])
    if result then call('HSET', key, tid, result) end
  end
end

local function share_rows()
  local rows, spans = list_at(text, 1), {}
  for _, row in ipairs(A.results) do spans[row[PARTED.tid]] = row[PARTED.spans] end
  for i = 0, #rows - 1, #LEFT{tid = '', result = '', asked = '', answers = ''} do
    local known = spans[rows[i + LEFT.tid]]
    local result = known and parted(rows[i + LEFT.result], known)
    rows[i + LEFT.result] = result or rows[i + LEFT.result]
  end
  thaw()
  call('HSET', C, FIELD.left .. at, text_of(rows))
  if waits then freeze() end
end

if text == '' then share_large() else share_rows() end
return given
