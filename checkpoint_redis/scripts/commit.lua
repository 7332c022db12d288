-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Replaces a closed superstep by the next one.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, step}
-- -> {go|stop|end|fail, ep2} | {again, ep2} | {stale} | {gone} | {unstaged}
local f = fence(A.ns, A.ep, BUSY)
if not f then
  if call('HGET', H, A.ns .. '/ep') == A.step.ep then return {'again', A.step.ep} end
  return {'gone'}
end
-- The epoch is not enough: after a fail-over another reducer may hold other writes (flaw F1).
if f.adv ~= 'l' or f.advtok ~= A.tok then return {'stale'} end
if A.step.staged and not is_staged(A.step.ep) then return {'unstaged'} end
drop_step(A.ns, true)
return open_step(A.ns, A.step)
