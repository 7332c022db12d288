-- needs: lib.lua frozen.lua runs.lua
-- What is left of runs that are not the last: a line each, the newest first, in one field of C. A
-- line begins with its length; then come the codes of status and kind, 6 bytes for when it began and 5
-- for how long it took (ms), its id, its checkpoint, and the first bytes of who started it. An answer
-- that joined a run is in a line of its id and the run's.
local WORDS, CODES = {STORED.line_words}, {}
for code, word in ipairs(WORDS) do CODES[word] = string.char(code) end

-- The beginning of the next line, and a line, as `for at, line in next_line, text, 1` gives them.
local function next_line(text, at)
  local length = string.byte(text, at)
  if length then return at + 1 + length, string.sub(text, at, at + length) end
end

local function as_line(...)
  local text = table.concat({...})
  return string.char(#text) .. text
end

local function bytes_of(n, count)
  local out = {}
  for i = count, 1, -1 do
    out[i] = string.char(n % 2 ^ 8)
    n = math.floor(n / 2 ^ 8)
  end
  return table.concat(out)
end

-- An id of ours takes 17 bytes, the first of them 255; of another one that is the length.
local WITH_DASHES = '^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$'
local WITHOUT = '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x%x%x%x%x%x%x%x%x)$'

local function pack_id(id)
  if id ~= string.lower(id) or not string.find(id, WITH_DASHES) then return string.char(#id) .. id end
  local hex = string.gsub(id, '-', '')
  local bytes = string.gsub(hex, '..', function(pair) return string.char(tonumber('0x' .. pair)) end)
  return string.char(LINE.uuid) .. bytes
end

-- -> an id, and where the next one begins
local function id_at(line, at)
  local length = string.byte(line, at)
  if length ~= LINE.uuid then return string.sub(line, at + 1, at + length), at + length + 1 end
  local after = at + 1 + LINE.uuid_bytes
  local hex = string.gsub(string.sub(line, at + 1, after - 1), '.',
    function(char) return string.format('%02x', string.byte(char)) end)
  return table.concat({string.match(hex, WITHOUT)}, '-'), after
end

local function line_of(run, row)
  local checkpoint = row[RUN_ROW.checkpoint]
  if #checkpoint > LIMIT.line_checkpoint then checkpoint = '' end
  local began = tonumber(row[RUN_ROW.began])
  local took = math.max(0, math.min(tonumber(row[RUN_ROW.ended]) - began, LIMIT.took_ms))
  return as_line(CODES[row[RUN_ROW.status]], CODES[row[RUN_ROW.kind]], bytes_of(began, 6),
    bytes_of(took, 5), pack_id(run), pack_id(checkpoint), string.sub(row[RUN_ROW.by], 1, LIMIT.by))
end

local function find_line(run)
  local lines = cget(FIELD.lines)
  local packed = lines and pack_id(run)
  for _, line in next_line, lines or '', 1 do
    if string.sub(line, LINE.ids, LINE.ids + #packed - 1) == packed then return line end
  end
end

local function record_key(line) return P .. KEY.run .. (id_at(line, LINE.ids)) end

-- Whether the record of the nth line has to go before it lapses.
local function is_over(line, n)
  return n > LIMIT.lines or n == 2 and call('STRLEN', record_key(line)) > LIMIT.record
end

-- The run `before`, until now the last one, gets a line, and its record an end; row: what is in that.
local function retire(before, record, row)
  call('HDEL', C, FIELD.run .. before)
  call('SET', P .. KEY.run .. before, record, 'PX', LIMIT.record_ms)
  local lines = {line_of(before, row)}
  for _, line in next_line, cget(FIELD.lines) or '', 1 do
    local n = #lines + 1
    if is_over(line, n) then call('UNLINK', record_key(line)) end
    if n <= LIMIT.lines then lines[n] = line end
  end
  call('HSET', C, FIELD.lines, table.concat(lines))
end

local function forget_records()
  for _, line in next_line, cget(FIELD.lines) or '', 1 do call('UNLINK', record_key(line)) end
end

-- --- answers that joined a run ---

local function note_joined(run, joined)
  local lines = {as_line(pack_id(run), pack_id(joined))}
  for _, line in next_line, cget(FIELD.joined) or '', 1 do
    if #lines < LIMIT.joined then lines[#lines + 1] = line end
  end
  call('HSET', C, FIELD.joined, table.concat(lines))
end

-- -> the run that an answer joined | nil
local function joined_by(run)
  local lines = cget(FIELD.joined)
  local packed = lines and pack_id(run)
  for _, line in next_line, lines or '', 1 do
    if string.sub(line, 2, 1 + #packed) == packed then return (id_at(line, 2 + #packed)) end
  end
end

-- -> status | nil, the run that it joined or itself, RUN_ROW of that one | nil
local function outcome_of(run)
  local row = read_run(run)
  if row then return row[RUN_ROW.status], run, row end
  local line, joined = find_line(run), joined_by(run)
  if line then return WORDS[string.byte(line, LINE.status)], run end
  if joined then return RUN.joined, joined, read_run(joined) end
end
