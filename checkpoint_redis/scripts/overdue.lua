-- include: lib.lua task.lua
-- Finds frames whose hints are gone: queues are empty, and twice the same outbox did not shrink.
-- KEYS[1] due key of the shard. ARGV[1] {limit, empty}; empty: names of queues
-- -> {x, ns, ep, 'd', '', {}}...
local PARTS, FIRST_MS, LONGEST_MS = 100, 900, 30000
local empty = {}
for _, queue in ipairs(A.empty) do empty[queue] = true end

-- What is not taken though its hints were sent again, such as that of a graph which nobody serves,
-- is found later each time.
local function is_lost(ns)
  local q, field = P .. 'q:' .. ns, ns .. '/ov'
  local any = call('SRANDMEMBER', q)
  local f = any and get(ns, any)
  if not f or not empty[queue_of(f, call('HGET', H, 'queue'))] then return false end
  local size, pause = call('SCARD', q), FIRST_MS
  local before, at, paused = string.match(call('HGET', H, field) or '', '^(%d+) (%d+) (%d+)$')
  local same = before and size >= tonumber(before)
  if same and now() < tonumber(at) then return false end
  if same then pause = math.min(2 * paused, LONGEST_MS) end
  call('HSET', H, field, string.format('%d %.0f %d', size, now() + pause, pause))
  return same
end

local out, cursor, parts = {}, '0', 0
repeat
  local part = call('ZSCAN', KEYS[1], cursor, 'MATCH', '*||d', 'COUNT', 1000)
  cursor, parts = part[1], parts + 1
  for i = 1, #part[2], 2 do
    local x, ns = string.match(part[2][i], '^([^|]*)|([^|]*)|')
    thread(x)
    local ep = call('HGET', H, ns .. '/ep')
    local read, lost = pcall(is_lost, ns)
    if ep and read and lost then out[#out + 1] = {x, ns, ep, 'd', '', {}} end
  end
until cursor == '0' or #out >= A.limit or parts >= PARTS
return out
