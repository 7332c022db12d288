-- include: lib.lua
-- Threads of a status, longest first. KEYS[1] due key of the shard. ARGV[1] {status, limit}
-- -> {x, since, id, graph, run}...
local found = call('ZRANGE', SHARD .. 'ix:' .. A.status, 0, A.limit - 1, 'WITHSCORES')
local out = {}
for i = 1, #found, 2 do
  local h = call('HMGET', SHARD .. found[i] .. ':h', 'id', 'graph', 'run')
  out[#out + 1] = {found[i], found[i + 1], h[1], h[2], h[3]}
end
return out
