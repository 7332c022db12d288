-- needs: lib.lua
-- Long lists of values go to Redis in slices.
local function many(command, key, list)
  for i = 1, #list, LIMIT.slice do
    call(command, key, unpack(list, i, math.min(i + LIMIT.slice - 1, #list)))
  end
end

-- Fields of a hash that are numbered: <prefix>0, <prefix>1...
local function numbered(key, prefix, count)
  local fields = {}
  for n = 0, count - 1 do fields[#fields + 1] = prefix .. n end
  local out = {}
  for i = 1, count, LIMIT.slice do
    local last = math.min(i + LIMIT.slice - 1, count)
    for _, value in ipairs(call('HMGET', key, unpack(fields, i, last))) do out[#out + 1] = value end
  end
  return out
end
