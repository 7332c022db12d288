-- needs: lib.lua format.lua task.lua event.lua ending.lua
-- Tasks that fail for good.

-- What a retry runs again; an `err` that is '' is that of the run.
local function mark_failed(ns, tid, task, err)
  task[TASK.state], task[TASK.owner] = STATE.failed, ''
  write_task(ns, tid, task)
  note_form(FORMAT.result)
  call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.error .. tid, err)
end

-- A final failure ends the run, and is its error; nothing of the superstep is lost, a retry goes on
-- with it.
local function fail_task(ns, tid, task, err)
  mark_failed(ns, tid, task, '')
  event(EVENT.fail, ns, FAIL_EVENT{tid = tid, attempt = task[TASK.attempts]})
  finish_run(STATUS.error, RUN.error, err)
end

-- Counts a vanished attempt; true when it was one too many, and ended the run: a task that kills
-- its workers must not kill all of them.
local function lose(ns, tid, task, max, err)
  task[TASK.lost] = task[TASK.lost] + 1
  if task[TASK.lost] <= max then return false end
  fail_task(ns, tid, task, err)
  return true
end
