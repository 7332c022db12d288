-- needs: lib.lua format.lua frozen.lua begin.lua status.lua staged.lua drop.lua store_checkpoints.lua open.lua older.lua
-- Starts a run on a thread at rest, creating the thread when it does not exist.
-- KEYS[1] header. ARGV[1] {run, expect, seen, id, graph, fp, queue, cfg, modes, released, stop, by,
-- metadata, about, marks, step, older} with id, cfg, metadata, about and the superstep's blobs as positions; seen: the epoch as
-- the caller read it ('' = whichever it is); older: OLDER, or false.
-- -> STARTED: go | stop | end | fail | {busy, run} | {conflict, head} | {unstaged} | REPEATED
local st, run, head, created, ep, number = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  FRAME.checkpoint, HEADER.created, FRAME.epoch, HEADER.form))
local refused = too_old(number)
if refused then return refused end
local again = repeated(A.run)
if again then return again end
-- One run at a time: two would open two supersteps.
if st == STATUS.busy then return {REPLY.busy, run} end
-- Planned on another head than the present one: somebody else was faster.
if (head or '') ~= A.expect then return {REPLY.conflict, head or ''} end
-- The head is the same, but not what ran from it, or what older checkpoints hold.
if A.seen ~= '' and ep ~= A.seen then return {REPLY.conflict, head or ''} end
if A.step.staged and not is_staged(A.step.ep) then return {REPLY.unstaged} end
if not checkpoints_are_staged(A.step.checkpoints) then return {REPLY.unstaged} end
thaw()
note_form(FORMAT.config)
-- By its graph and marks until now: it may have others from now on.
unindex()
call('HSET', H, HEADER.id, blob(A.id), HEADER.graph, A.graph, HEADER.fingerprint, A.fp,
  HEADER.queue, A.queue, HEADER.created, created or now())
if A.about > 0 then
  call('HSET', C, FIELD.about, blob(A.about))
  call('HSET', H, HEADER.marks, A.marks)
end
-- A thread that no epoch was given has had no superstep.
if ep then drop_step('') end
if A.older then stand_at(A.older) end
local from = begin_run(A.run, RUN_ROW{kind = MODE.start, status = RUN.pending, checkpoint = '',
  began = now(), ended = 0, by = A.by, position = 0, origin = head or '', released = A.released,
  stop = A.stop, modes = A.modes, events = '', metadata = blob(A.metadata), config = blob(A.cfg),
  error = ''}, run)
local outcome, epoch = unpack(open_step('', A.step))
if A.older then
  remember_asked(A.older, A.run, A.by)
  take_done(A.older)
end
return STARTED{status = outcome, epoch = epoch, event_id = from, now = now()}
