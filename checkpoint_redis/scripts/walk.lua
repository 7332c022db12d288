-- needs: lib.lua frozen.lua
-- Threads of a shard, the last changed first: those that stand in each of A.sets, changed at or after
-- A.since and before A.before (ms, '' = whenever), come behind the place A.after, <updated>-<x>, and
-- have each piece of A.having ("name":value) in their metadata.
local function set(name) return SHARD .. SHARD_KEY.found .. name end

-- The smallest one is walked over.
local walked, size
for _, name in ipairs(A.sets) do
  local count = call('ZCARD', set(name))
  if not size or count < size then walked, size = name, count end
end

local function is_in_all()
  for _, name in ipairs(A.sets) do
    if name ~= walked and not call('ZSCORE', set(name), X) then return false end
  end
  return true
end

-- Metadata are JSON without a quote, or a comma, in a text that is not escaped, or quoted.
local function has_all()
  if #A.having == 0 then return true end
  local text = ',' .. string.sub(cget(FIELD.about) or '', 2, -2) .. ','
  for _, piece in ipairs(A.having) do
    if not string.find(text, ',' .. piece .. ',', 1, true) then return false end
  end
  return true
end

local at, after = string.match(A.after, '^(%d+)%-(.*)$')
local function is_behind(updated) return updated ~= at or X < after end

local oldest, newest = A.since == '' and '-inf' or A.since, at or '+inf'
if A.before ~= '' and (not at or tonumber(at) >= tonumber(A.before)) then newest = '(' .. A.before end

-- Calls each() for one after the other, until that says that it is enough, or so many threads were
-- looked at. -> the place of the last one ('' = that were all), how many
local function walk(most, each)
  -- Those that changed in the same millisecond come again, and do not count.
  most = most + (at and call('ZCOUNT', set(walked), at, at) or 0)
  local found = call('ZREVRANGEBYSCORE', set(walked), newest, oldest, 'WITHSCORES', 'LIMIT', 0, most)
  local place = ''
  for i = 1, #found, 2 do
    thread(found[i])
    place = found[i + 1] .. '-' .. X
    if is_behind(found[i + 1]) and is_in_all() and has_all() and each() then
      return place, (i + 1) / 2
    end
  end
  return #found == 2 * most and place or '', #found / 2
end
