-- needs: lib.lua fence.lua due.lua
-- The hints are out: look at the outbox later. KEYS[1] header. ARGV[1] {ns, ep} -> 1 | 0
if not fence(A.ns, A.ep, BUSY) then return 0 end
call('ZADD', planned_in(DUE.outbox), 'XX', now() + LIMIT.recheck_ms,
  member(A.ns, '', DUE.outbox))
return 1
