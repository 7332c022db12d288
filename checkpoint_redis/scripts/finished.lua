-- needs: lib.lua format.lua asking.lua deadlines.lua task.lua due.lua packet.lua event.lua rising.lua barrier.lua advance.lua
-- Recording what a task left, for complete and finish.

-- What takes the place of a task's result and of its pending questions.
local UNFINISHED = {[STATE.queued] = true, [STATE.running] = true, [STATE.backing_off] = true,
  [STATE.failed] = true}

local function ids_of(questions)
  local iids = {}
  for i, question in ipairs(questions) do iids[i] = question[QUESTION.iid] end
  return iids
end

local function deadlines_of(questions)
  local times = {}
  for i, question in ipairs(questions) do times[i] = question[QUESTION.deadline] end
  return times
end

-- What is asked again at its place keeps its time there. What is answered once that is over stands
-- beside the questions of the root's task, which has those of all frames below: a sweep, which gives it,
-- need not know what it means.
local function note_deadlines(ns, tid, questions)
  local key, field, kept = P .. KEY.tasks .. ns, TASK_FIELD.deadlines .. tid, nil
  for _, question in ipairs(questions) do
    local place, within = question[QUESTION.place], question[QUESTION.within]
    if place ~= '' then
      kept = kept or decode(call('HGET', key, field) or '{}')
      kept[place] = kept[place] or (within >= 0 and now() + within) or question[QUESTION.deadline]
      question[QUESTION.deadline] = kept[place]
      if ns == '' then
        call('HSET', key, TASK_FIELD.late .. question[QUESTION.iid], blob(question[QUESTION.late]))
      end
      question[QUESTION.late] = 0
    end
  end
  if not kept then return end
  note_form(FORMAT.answer)
  call('HSET', key, field, encode(kept))
end

-- Nobody will answer it: whatever the thread goes on with finds it here.
local function note_stopped(tasks, tid)
  local count = call('HINCRBY', tasks, TASK_FIELD.stops, 1)
  call('HSET', tasks, TASK_FIELD.stopped .. count - 1, tid)
end

-- The record of a `task` that has ended, what it left, and that it is active no more.
local function keep_finished(ns, tid, task, result)
  local tasks, questions = P .. KEY.tasks .. ns, result[RESULT.questions]
  local bytes = blob(result[RESULT.blob])
  write_task(ns, tid, task)
  if #questions == 0 then
    keep_sent(ns, result[RESULT.packets])
    call('HSET', P .. KEY.writes .. ns, tid, bytes)
    call('HINCRBY', tasks, TASK_FIELD.writes_size, #bytes)
  else
    note_form(FORMAT.question)
    for _, question in ipairs(questions) do question[QUESTION.asked] = now() end
    note_deadlines(ns, tid, questions)
    if ns == '' and questions[1][QUESTION.iid] == IID.stopped then note_stopped(tasks, tid) end
    call('HSET', P .. KEY.questions .. ns, tid, encode(questions))
    call('HSET', tasks, TASK_FIELD.question .. tid, bytes)
    if ns == '' then note_asking(tid, questions) end
  end
  -- Until the superstep is dropped: it is not to be closed, whatever the others leave.
  local holds = ns ~= '' and result[RESULT.escapes]
  if not holds then call('SREM', P .. KEY.active .. ns, tid) end
end

-- result: RESULT. The first finisher of the round wins, whichever attempt it is. `passed`: who has
-- the result drops its superstep in the same breath, so that only what it sent is stored.
-- -> done | dup | stale | gone
local function record(ns, st, token, result, passed)
  local tid, questions = result[RESULT.tid], result[RESULT.questions]
  local task = read_task(ns, tid)
  if not task then return REPLY.gone end
  local final = #questions > 0 and STATE.interrupted or STATE.done
  if task[TASK.state] == final and task[TASK.token] == token then return REPLY.dup end
  -- Done or asking: a second result would be applied twice, or replace the first.
  if not UNFINISHED[task[TASK.state]] then return REPLY.stale end
  -- Of an earlier round: it does not know the answer that was given since.
  if task[TASK.round] ~= result[RESULT.round] then return REPLY.stale end
  -- The frame that it was taken from may have gone on since, or never have been, after a fail-over.
  if result[RESULT.collected] and task[TASK.token] ~= token then return REPLY.stale end
  -- What it sent has lapsed, and so has its lease: another attempt sends it again.
  if not all_staged(result[RESULT.packets]) then return REPLY.stale end
  local tasks, before = P .. KEY.tasks .. ns, task[TASK.state]
  task[TASK.state], task[TASK.token], task[TASK.owner] = final, token, ''
  task[TASK.risen] = ''
  note_form(FORMAT.result)
  if passed then keep_packets(ns, result[RESULT.packets])
  else keep_finished(ns, tid, task, result) end
  if before == STATE.queued then call('SREM', P .. KEY.queued .. ns, tid) end
  if before == STATE.failed then call('HDEL', tasks, TASK_FIELD.error .. tid) end
  not_due(ns, tid, DUE.lease, DUE.back_off)
  local deadline = ns == '' and first_deadline(questions)
  if deadline then due(ns, tid, DUE.deadline, deadline) end
  -- A run that has failed has ended: nobody follows its events any more.
  if st ~= STATUS.busy then return REPLY.done end
  if final == STATE.done then
    event(EVENT.task, ns, TASK_EVENT{tid = tid, attempt = task[TASK.attempts]},
      blob(result[RESULT.event]))
  else
    event(EVENT.ask, ns,
      ASK_EVENT{tid = tid, attempt = task[TASK.attempts], iids = ids_of(questions),
        deadlines = deadlines_of(questions)},
      blob(ns == '' and result[RESULT.blob] or result[RESULT.event]))
  end
  return REPLY.done
end

-- -> results, with the advance when it is the caller's
local function complete(frame)
  local statuses, up = {}, {}
  for i, result in ipairs(A.results) do
    statuses[i] = record(A.ns, frame.st, A.tok, result)
    local counts = statuses[i] == REPLY.done or statuses[i] == REPLY.dup
    -- It has left its graph, which need not wait for the other tasks. At the root nobody takes it.
    if counts and A.ns ~= '' and result[RESULT.escapes] then up = rise(A.ns) end
  end
  local mine = frame.advance == ADVANCE.leased and frame.token == A.tok2
  local closing, risen = REPLY.advance, {}
  if not mine then closing, risen = barrier(A.ns, frame, A.tok2, A.lease) end
  return RESULTS{status = REPLY.results, statuses = statuses, closing = closing,
    advance = closing == REPLY.advance and advance(A.ns), up = #up > 0 and up or risen}
end
