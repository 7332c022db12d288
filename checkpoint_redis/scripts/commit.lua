-- needs: lib.lua fence.lua rising.lua staged.lua drop.lua open.lua
-- Replaces a closed superstep by the next one.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, step}
-- -> {go|stop|end|fail, ep2, HINT...} | {again, ep2, HINT...} | {stale} | {gone} | {unstaged}
local frame = fence(A.ns, A.ep, BUSY)
if not frame then return committed_before(A.ns, A.step) end
if not is_parked(A.ns) then return {REPLY.gone} end
-- The epoch is not enough: after a fail-over another reducer may hold other writes (flaw F1).
if frame.advance ~= ADVANCE.leased or frame.token ~= A.tok then return {REPLY.stale} end
if A.step.staged and not is_staged(A.step.ep) then return {REPLY.unstaged} end
drop_step(A.ns, A.step.checkpoints)
return open_step(A.ns, A.step)
