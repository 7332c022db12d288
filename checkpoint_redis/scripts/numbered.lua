-- Fields of a hash that are numbered: <prefix>0, <prefix>1...
local function numbered(key, prefix, count)
  local fields = {}
  for n = 0, count - 1 do fields[#fields + 1] = prefix .. n end
  local out = {}
  for i = 1, count, 1000 do
    local slice = call('HMGET', key, unpack(fields, i, math.min(i + 999, count)))
    for _, value in ipairs(slice) do out[#out + 1] = value end
  end
  return out
end
