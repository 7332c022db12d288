-- needs: lib.lua fence.lua ending.lua
-- Ends the run because its results cannot be reduced or the next superstep not planned.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, error} -> {failed|stale|gone}
local frame = fence(A.ns, A.ep, BUSY)
if not frame then return {REPLY.gone} end
-- Only the present reducer may give up: an earlier one may have died of something else.
if frame.advance ~= ADVANCE.leased or frame.token ~= A.tok then return {REPLY.stale} end
finish_run(STATUS.error, RUN.error, blob(A.error))
return {REPLY.failed}
