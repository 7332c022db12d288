-- include: lib.lua task.lua
-- The hints are out: look at the outbox later. KEYS[1] header. ARGV[1] {ns, ep, visits} -> 1 | 0
if not fence(A.ns, A.ep, BUSY) then return 0 end
local at = now() + math.min(RECHECK_MS * 2 ^ A.visits, RECHECK_MAX_MS)
call('ZADD', SHARD .. 'due', 'XX', at, X .. '|' .. A.ns .. '||d')
return 1
