-- needs: lib.lua task.lua
-- Queued again: in the barrier, in the outbox, and to be looked for soon, however long the rest of
-- the outbox has waited.
local function requeue(ns, tid, task)
  task[TASK.state], task[TASK.token], task[TASK.owner] = STATE.queued, '', ''
  write_task(ns, tid, task)
  call('SADD', P .. KEY.active .. ns, tid)
  call('SADD', P .. KEY.queued .. ns, tid)
  call('HDEL', frame_key(ns), FRAME.visited, FRAME.waiting)
end
