-- needs: lib.lua
-- Threads of a status, longest first. KEYS[1] due key of the shard. ARGV[1] {status, limit}
-- -> LISTED...
local found = call('ZRANGE', SHARD .. SHARD_KEY.by_status .. A.status, 0, A.limit - 1, 'WITHSCORES')
local out = {}
for i = 1, #found, 2 do
  thread(found[i])
  local id, graph, run = unpack(call('HMGET', H, HEADER.id, HEADER.graph, HEADER.run))
  out[#out + 1] = LISTED{x = X, since = found[i + 1], id = id, graph = graph, run = run}
end
return out
