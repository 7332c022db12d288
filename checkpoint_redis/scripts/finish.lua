-- needs: lib.lua within.lua fence.lua rising.lua staged.lua caller_writes.lua alone.lua drop.lua open.lua finished.lua
-- complete and commit at once, for the only task of a superstep; else it is complete.
-- KEYS[1] header. ARGV[1] that of complete, {caller_writes} (how many the caller applied), {step}
-- -> as commit, or as complete
local frame = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not frame then return committed_before(A.ns, A.step) end
-- The caller applied its own writes alone: there must be no others, stored or to come.
local alone = frame.st == STATUS.busy and frame.advance == '' and is_alone(A.ns)
  and caller_write_count(A.ns) == A.caller_writes and is_parked(A.ns) and not is_calls(A.ns)
if not alone or (A.step.staged and not is_staged(A.step.ep)) then return complete(frame) end
local result = A.results[1]
local bytes = blob(result[RESULT.blob])
-- A large result gets a key of its own, which is that of stored results.
local passed = #bytes <= LIMIT.left_bytes and {result[RESULT.tid], bytes}
if record(A.ns, frame.st, A.tok, result, passed) ~= REPLY.done then return complete(frame) end
drop_step(A.ns, A.step.checkpoints, passed)
return open_step(A.ns, A.step)
