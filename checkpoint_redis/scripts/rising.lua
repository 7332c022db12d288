-- needs: lib.lua within.lua task.lua due.lua requeue.lua event.lua
-- A graph inside a task has come to an end, or waits: its frame goes up. The task that was parked for it
-- is queued again, and its next attempt takes the frame's state as it stands.

-- Whether the task around is parked: of a frame that has gone up nothing is started.
local function is_parked(ns)
  if ns == '' then return true end
  local task = read_task(task_around(ns))
  return task and task[TASK.state] == STATE.parked
end

-- -> the task's hint, in a list, also when that is repeated because the reply was lost; empty where
-- another attempt is at it, which has to be told when it parks: a task has failed, or one `left` the graph.
local function rise(ns, left)
  local parent, tid = task_around(ns)
  local task = read_task(parent, tid)
  if not task then return {} end
  if task[TASK.state] == STATE.parked then
    task[TASK.risen] = ns
    call('HSET', frame_key(ns), FRAME.up, current_run())
    requeue(parent, tid, task)
    due_outbox(parent)
  elseif task[TASK.state] ~= STATE.queued or task[TASK.risen] ~= ns then
    call(left and 'HSET' or 'HSETNX', frame_key(ns), FRAME.missed, left and STATE.done or STATE.failed)
    return {}
  end
  return {hint(parent, tid, task)}
end
