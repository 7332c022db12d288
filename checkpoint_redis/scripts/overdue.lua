-- include: lib.lua
-- Frames whose outbox is not empty. KEYS[1] due key of the shard. ARGV[1] {limit}
-- -> {x, ns, ep, 'd', '', {}}...
local PARTS = 100
local out, cursor, parts = {}, '0', 0
repeat
  local part = call('ZSCAN', KEYS[1], cursor, 'MATCH', '*||d', 'COUNT', 1000)
  cursor, parts = part[1], parts + 1
  for i = 1, #part[2], 2 do
    local x, ns = string.match(part[2][i], '^([^|]*)|([^|]*)|')
    thread(x)
    local ep = call('HGET', H, ns .. '/ep')
    if ep and call('EXISTS', P .. 'q:' .. ns) == 1 and #out < A.limit then
      out[#out + 1] = {x, ns, ep, 'd', '', {}}
    end
  end
until cursor == '0' or #out >= A.limit or parts >= PARTS
return out
