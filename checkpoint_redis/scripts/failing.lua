-- needs: lib.lua format.lua within.lua task.lua event.lua over.lua barrier.lua
-- Tasks that fail for good.

-- What a retry runs again; an `err` that is '' is that of the run.
local function mark_failed(ns, tid, task, err)
  task[TASK.state], task[TASK.owner] = STATE.failed, ''
  write_task(ns, tid, task)
  note_form(FORMAT.result)
  call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.error .. tid, err)
  -- A call that has failed has ended.
  if is_calls(ns) then call('SREM', P .. KEY.active .. ns, tid)
  -- In a run that has failed nothing goes up: the attempt that parks next is told, whatever it has read.
  elseif ns ~= '' then call('HSET', frame_key(ns), FRAME.missed, 1) end
end

-- A final failure ends the run, and is its error; nothing of the superstep is lost, a retry goes on
-- with it. Inside a task it is that task's to fail with it, or not: at once, but of calls the others
-- run to their end first. -> hints
local function fail_task(ns, tid, task, err)
  mark_failed(ns, tid, task, ns == '' and '' or err)
  event(EVENT.fail, ns, FAIL_EVENT{tid = tid, attempt = task[TASK.attempts]})
  if is_calls(ns) then
    local _, up = barrier(ns, {st = STATUS.busy, advance = ''}, '', 0)
    return up
  end
  return come_to_end(ns, STATUS.error, RUN.error, ns == '' and err or '')
end

-- Counts a vanished attempt; true when it was one too many, and the task has failed: one that kills its
-- workers must not kill all of them. With hints then.
local function lose(ns, tid, task, max, err)
  task[TASK.lost] = task[TASK.lost] + 1
  if task[TASK.lost] <= max then return false end
  return true, fail_task(ns, tid, task, err)
end
