-- needs: lib.lua
-- Long lists of values go to Redis in slices.
local function many(command, key, list)
  for i = 1, #list, LIMIT.slice do
    call(command, key, unpack(list, i, math.min(i + LIMIT.slice - 1, #list)))
  end
end

-- `count` fields of a hash that are numbered, <prefix>0, <prefix>1..., from number `first` on.
local function numbered(key, prefix, first, count)
  local fields = {}
  for n = first, first + count - 1 do fields[#fields + 1] = prefix .. n end
  local out = {}
  for i = 1, count, LIMIT.slice do
    local last = math.min(i + LIMIT.slice - 1, count)
    for _, value in ipairs(call('HMGET', key, unpack(fields, i, last))) do out[#out + 1] = value end
  end
  return out
end
