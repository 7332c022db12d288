-- Which shards have something to look at: a sweep leaves the others alone.
-- KEYS: the due key and the outboxes of each shard, one behind the other.
-- -> {shards of which something is due, shards that have outboxes}; numbers, from 0
local time = redis.call('TIME')
local now = time[1] * 1e3 + math.floor(time[2] / 1e3)

-- When the first of a key's entries is due; nothing where it has none.
local function first(key) return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]) end

local due, waiting = {}, {}
for i = 1, #KEYS, 2 do
  local task, outbox = first(KEYS[i]), first(KEYS[i + 1])
  local shard = (i - 1) / 2
  if task and task <= now or outbox and outbox <= now then due[#due + 1] = shard end
  if outbox then waiting[#waiting + 1] = shard end
end
return {due, waiting}
