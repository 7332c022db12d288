-- needs: lib.lua format.lua frozen.lua asking.lua task.lua due.lua requeue.lua
-- How a task goes on that an answer, a reask or a retry chose. said: MOVE.

-- Who looks back sees what was asked, and who answered; of what was asked again only the last.
local function note_asked(said, tid, questions)
  local key, field = P .. KEY.tasks, TASK_FIELD.asked .. tid
  local answered = said[MOVE.mode] == MODE.resume
  local asked = text_of({questions, call('HGET', key, TASK_FIELD.question .. tid),
    encode(ANSWERED_BY{run = answered and said[MOVE.run] or '', at = said[MOVE.at],
      by = said[MOVE.by]})})
  if answered then
    call('HSET', key, field, (call('HGET', key, field) or '') .. asked)
    call('HDEL', key, TASK_FIELD.asked_again .. tid)
  else call('HSET', key, TASK_FIELD.asked_again .. tid, asked) end
end

-- each: {tid, questions, answers, late}: what it asks, as u:<ns> has it; its answers; whether a result
-- of before still counts. -> HINT
local function queue_again(said, each)
  local key, tid = P .. KEY.tasks, each.tid
  local task = read_task('', tid)
  if said[MOVE.mode] ~= MODE.retry then
    note_asked(said, tid, each.questions)
    forget_asking(each.questions)
  end
  -- A new round: what an earlier attempt still brings does not know this answer.
  if not each.late then task[TASK.round] = said[MOVE.round] end
  task[TASK.attempts], task[TASK.lost], task[TASK.failures] = 0, 0, 0
  for _, answer in ipairs(each.answers or {}) do
    note_form(FORMAT.answer)
    call('HSET', key, TASK_FIELD.answer .. tid .. '|' .. task[TASK.answers], answer)
    task[TASK.answers] = task[TASK.answers] + 1
  end
  call('HDEL', P .. KEY.questions, tid)
  call('HDEL', key, TASK_FIELD.error .. tid, TASK_FIELD.question .. tid)
  requeue('', tid, task)
  not_due('', tid, DUE.back_off, DUE.deadline)
  return hint('', tid, task)
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
  elseif state == STATE.failed or state == STATE.backing_off then return {tid = tid, late = true} end
end
