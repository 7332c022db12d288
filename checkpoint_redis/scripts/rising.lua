-- needs: lib.lua within.lua task.lua due.lua requeue.lua event.lua
-- A graph inside a task has come to an end, or waits: its frame goes up. The task that was parked for it
-- is queued again, and its next attempt takes the frame's state as it stands.

-- Whether the task around is parked: of a frame that has gone up nothing is started.
local function is_parked(ns)
  if ns == '' then return true end
  local task = read_task(task_around(ns))
  return task and task[TASK.state] == STATE.parked
end

-- The hint of the task that is queued because the frame has gone up, in a list: a reply may be lost.
local function hint_around(ns)
  local parent, tid = task_around(ns)
  local task = read_task(parent, tid)
  local waits = task and task[TASK.state] == STATE.queued and task[TASK.risen] == ns
  return waits and {hint(parent, tid, task)} or {}
end

-- -> the hint of the task around, in a list
local function rise(ns)
  local parent, tid = task_around(ns)
  local task = read_task(parent, tid)
  if task and task[TASK.state] == STATE.parked then
    task[TASK.risen] = ns
    call('HSET', frame_key(ns), FRAME.up, current_run())
    requeue(parent, tid, task)
    due_outbox(parent)
  end
  local given = hint_around(ns)
  -- An attempt is at it, which is told when it parks.
  if task and #given == 0 then call('HSET', frame_key(ns), FRAME.missed, 1) end
  return given
end
