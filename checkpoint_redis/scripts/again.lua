-- needs: lib.lua format.lua frozen.lua runs.lua asking.lua task.lua due.lua requeue.lua
-- How a task goes on that an answer, a reask or a retry chose, of the root or of a frame inside one of
-- its tasks. said: MOVE.

-- Who looks back sees what was asked, and who answered; of what was asked again only the last.
local function note_asked(ns, said, tid, questions)
  local key, field = P .. KEY.tasks .. ns, TASK_FIELD.asked .. tid
  local answered = said[MOVE.mode] == MODE.resume
  local asked = text_of({questions, call('HGET', key, TASK_FIELD.question .. tid),
    encode(ANSWERED_BY{run = answered and said[MOVE.run] or '', at = said[MOVE.at],
      by = said[MOVE.by]})})
  if answered then
    call('HSET', key, field, (call('HGET', key, field) or '') .. asked)
    call('HDEL', key, TASK_FIELD.asked_again .. tid)
  else call('HSET', key, TASK_FIELD.asked_again .. tid, asked) end
end

-- Who looks back sees what a task has failed with last; what is large is gone with its run.
local function note_failed(ns, said, tid, failed)
  if failed == '' or #failed > LIMIT.record then return end
  call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.answered, said[MOVE.round],
    TASK_FIELD.failed .. tid,
    text_of({'[]', failed, encode(ANSWERED_BY{run = '', at = said[MOVE.at], by = ''})}))
end

-- What a task has failed with; '' where that is not known any more.
local function failure_of(ns, tid)
  local failed = call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.error .. tid)
  if failed == '' then return read_run(call('HGET', H, HEADER.run))[RUN_ROW.error] end
  return failed or ''
end

-- each: {tid, questions, answers, late, failed}: what it asks, as u:<ns> has it; its answers; whether a
-- result of before still counts; what it failed with. -> HINT
local function queue_again(ns, said, each)
  local key, tid = P .. KEY.tasks .. ns, each.tid
  local task = read_task(ns, tid)
  if said[MOVE.mode] ~= MODE.retry then
    note_asked(ns, said, tid, each.questions)
    if ns == '' then forget_asking(each.questions) end
  else note_failed(ns, said, tid, each.failed or '') end
  -- A new round: what an earlier attempt still brings does not know this answer.
  if not each.late then task[TASK.round] = said[MOVE.round] end
  task[TASK.attempts], task[TASK.lost], task[TASK.failures] = 0, 0, 0
  -- A graph inside it goes on too, and is not taken as it stands.
  task[TASK.risen] = ''
  for _, answer in ipairs(each.answers or {}) do
    note_form(FORMAT.answer)
    call('HSET', key, TASK_FIELD.answer .. tid .. '|' .. task[TASK.answers], answer)
    task[TASK.answers] = task[TASK.answers] + 1
  end
  call('HDEL', P .. KEY.questions .. ns, tid)
  call('HDEL', key, TASK_FIELD.error .. tid, TASK_FIELD.question .. tid)
  requeue(ns, tid, task)
  not_due(ns, tid, DUE.back_off, DUE.deadline)
  return hint(ns, tid, task)
end

local function asking(tid, answers)
  return {tid = tid, answers = answers, questions = call('HGET', P .. KEY.questions, tid)}
end

-- What a task that had not ended when the run failed goes on with, or nil.
local function tried_again(tid)
  local task = read_task('', tid)
  local state = task[TASK.state]
  -- It was not stopped when the run failed: it gets time to finish, or is taken for lost.
  if state == STATE.running then due('', tid, DUE.lease, now() + LIMIT.recheck_ms)
  -- The attempt at one that is parked goes on with the graph inside it: what failed there runs again.
  elseif state == STATE.failed or state == STATE.backing_off or state == STATE.parked then
    return {tid = tid, late = true, failed = failure_of('', tid)}
  end
end
