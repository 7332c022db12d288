-- needs: lib.lua fence.lua task.lua restore.lua again_rows.lua
-- Some of the tasks with which a frame goes on are queued before its task is parked: all of them would
-- be too many for one script. Nobody takes one before that, and of what is over park tells. KEYS[1] header.
-- ARGV[1] {ns, ep, tid, tok, seen, inner, again}; ns, ep, tid, tok: the attempt; seen: the frame's epoch as
-- it knows it; inner: the frame's hash; again: AGAIN -> ok | gone: it was given up | conflict: the frame is
-- another's
local open = fence(A.ns, A.ep, BUSY_OR_ERROR)
local task = open and read_task(A.ns, A.tid)
if not task or task[TASK.state] ~= STATE.running or task[TASK.token] ~= A.tok then return REPLY.gone end
local ep = call('HGET', frame_key(A.inner), FRAME.epoch)
if ep ~= A.seen then return REPLY.conflict end
restore_step(A.inner)
queue_rows(A.inner, A.again)
return REPLY.ok
