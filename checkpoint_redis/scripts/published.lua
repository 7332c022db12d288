-- include: lib.lua task.lua
-- The hints are out: look at the outbox later. KEYS[1] header. ARGV[1] {ns, ep} -> 1 | 0
if not fence(A.ns, A.ep, BUSY) then return 0 end
local at = now() + RECHECK_MS
call('ZADD', SHARD .. 'due', 'XX', at, X .. '|' .. A.ns .. '||d')
return 1
