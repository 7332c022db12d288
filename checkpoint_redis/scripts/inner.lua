-- needs: lib.lua format.lua fence.lua task.lua frames.lua log.lua restore.lua drop.lua store_checkpoints.lua
-- Stores what an attempt at a task has of a graph that is called inside it: what that graph's tasks
-- left at its head, then checkpoints. KEYS[1] header.
-- ARGV[1] {ns, ep, tid, tok, seen, new_ep, inner, frame, cp, records, checkpoints}; ns, ep, tid, tok: the
-- attempt; inner: the frame's hash; seen: the frame's epoch as it knows it ('' = there is none); new_ep: the one from now on;
-- records: into the log of cp -> ok | gone: it was given up | conflict: the frame is another's
local open = fence(A.ns, A.ep, BUSY_OR_ERROR)
local task = open and read_task(A.ns, A.tid)
-- Another attempt goes on with the inner graph from what is stored: a late one must not change it.
if not task or task[TASK.state] ~= STATE.running or task[TASK.token] ~= A.tok then return REPLY.gone end
local ep = call('HGET', frame_key(A.inner), FRAME.epoch) or ''
-- A repetition, because the reply was lost, would append its records again.
if ep == A.new_ep then return REPLY.ok end
-- What it follows a fail-over may have lost, or another task that shares the frame went on from.
if ep ~= A.seen then return REPLY.conflict end
-- What its tasks sent has lapsed, and so has the lease of the attempt.
if not checkpoints_are_staged(A.checkpoints) then return REPLY.gone end
-- Of a superstep around that is over, or done by an attempt at this task that took it over.
if is_open(A.inner) then drop_step(A.inner) end
if ep == '' then list_frame(A.inner, A.frame) end
call('HSET', frame_key(A.inner), FRAME.epoch, A.new_ep)
if #A.records > 0 then
  -- There may be results and answers in them.
  note_form(FORMAT.newest)
  append_log(A.inner, A.cp, A.records)
end
store_checkpoints(A.inner, A.checkpoints)
-- What stands at the head belongs to the run, and is dropped with the task's superstep.
if #A.checkpoints > 0 then call('HDEL', P .. KEY.inner .. A.ns, A.inner)
else call('HSET', P .. KEY.inner .. A.ns, A.inner, A.tid) end
return REPLY.ok
