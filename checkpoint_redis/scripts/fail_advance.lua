-- needs: lib.lua fence.lua over.lua
-- Ends the run because its results cannot be reduced or the next superstep not planned.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, error} -> {failed, HINT...} | {stale|gone}
local frame = fence(A.ns, A.ep, BUSY)
if not frame then return {REPLY.gone} end
-- Only the present reducer may give up: an earlier one may have died of something else.
if frame.advance ~= ADVANCE.leased or frame.token ~= A.tok then return {REPLY.stale} end
return {REPLY.failed, come_to_end(A.ns, STATUS.error, RUN.error, blob(A.error))}
