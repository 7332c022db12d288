-- needs: lib.lua fence.lua held.lua task.lua restore.lua calls.lua
-- Keeps what functions have returned that ran in the process of the attempt that called them.
-- KEYS[1] header. ARGV[1] {ns, ep, tid, tok, seen, new_ep, inner, frame, results}; ns, ep, tid, tok: the
-- attempt; inner: the hash of the frame of its calls; seen: that frame's epoch as it knows it; new_ep: the one from now on
-- where no calls are open; results: DONE -> ok | gone: it was given up | conflict: the frame is another's
local open = fence(A.ns, A.ep, BUSY_OR_ERROR)
local task = open and read_task(A.ns, A.tid)
-- Another attempt goes on from what is stored: a late one must not add to it.
if not task or task[TASK.state] ~= STATE.running or task[TASK.token] ~= A.tok then return REPLY.gone end
local ep = call('HGET', frame_key(A.inner), FRAME.epoch) or ''
local present = is_held(A.inner) and is_open(A.inner)
-- What it follows a fail-over may have lost; a repetition, because the reply was lost, adds nothing.
if ep ~= A.seen and ep ~= A.new_ep then return REPLY.conflict end
if present then restore_step(A.inner)
else
  begin_calls(A.inner, A.frame, A.new_ep)
  belong(A.inner, A.ns, A.tid, A.ep)
end
keep_done(A.inner, A.results)
return REPLY.ok
