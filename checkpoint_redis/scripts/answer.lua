-- needs: lib.lua format.lua frozen.lua slices.lua runs.lua lines.lua asking.lua task.lua due.lua requeue.lua pack.lua restore.lua begin.lua caller_writes.lua new_tasks.lua barrier.lua
-- Goes on with an open superstep: answers, asks again, or retries. All pairs or none.
-- KEYS[1] header. ARGV[1] {run, mode, ep, pairs, rnd, caller_writes, tasks, first, reads, keep_cfg,
-- cfg, modes, fp, stop, by, metadata}; ep: the epoch as the caller read it ('' = whichever it is); pairs: ANSWER,
-- tasks: NEW_TASK; stop -1 = as it is.
-- -> ANSWERED: go | joined | {no_interrupt, pending} | {nothing, st} | {busy, run} | {missing}
--  | {conflict} | REPEATED
local st, run, default_queue, ep, number, head = unpack(call('HMGET', H, HEADER.status,
  HEADER.run, HEADER.queue, FRAME.epoch, HEADER.form, FRAME.checkpoint))
local refused = too_old(number)
if refused then return refused end
local again = repeated(A.run)
if again then return again end
if not st then return {REPLY.missing} end
local retries, resumes = A.mode == MODE.retry, A.mode == MODE.resume

-- The questions of a task, as a set of ids: nobody reads those of its siblings.
local function asked_by(tid)
  local iids, text = {}, field_of('', KEY.questions, tid)
  for _, question in ipairs(text and decode(text) or {}) do iids[question[QUESTION.iid]] = true end
  return iids
end

-- The ids of pending questions, of as many tasks as one reply may name.
local function pending()
  local iids, fields = {}, some_fields_of('', KEY.questions)
  for i = 2, #fields, 2 do
    for _, question in ipairs(decode(fields[i])) do
      if question[QUESTION.iid] ~= IID.stopped then iids[#iids + 1] = question[QUESTION.iid] end
    end
  end
  return iids
end

-- What is queued again: its id, the positions of its answers, whether a result of before still counts.
local chosen = {}

local function choose(tid, late)
  local answers = {}
  chosen[#chosen + 1] = {tid = tid, answers = answers, late = late}
  return answers
end

local function choose_answered()
  local asked, answers = {}, {}
  for _, pair in ipairs(A.pairs) do
    local tid, iid = pair[ANSWER.tid], pair[ANSWER.iid]
    asked[tid] = asked[tid] or asked_by(tid)
    -- The id names this very instance: an answer to an earlier question of the same task must
    -- not be taken for an answer to this one (flaw F4). Each is consumed once.
    if not asked[tid][iid] then return false end
    asked[tid][iid] = nil
    answers[tid] = answers[tid] or choose(tid)
    table.insert(answers[tid], pair[ANSWER.blob])
  end
  return #A.pairs > 0
end

local function choose_asking()
  local fields = fields_of('', KEY.questions)
  for i = 1, #fields, 2 do choose(fields[i]) end
end

local function choose_failed()
  for _, tid in ipairs(call('SDIFF', P .. KEY.active, P .. KEY.queued)) do
    local task = read_task('', tid)
    -- It was not stopped when the run failed: it gets time to finish, or is taken for lost.
    if task[TASK.state] == STATE.running then due('', tid, DUE.lease, now() + LIMIT.recheck_ms)
    else choose(tid, true) end
  end
  due_outbox('')
end

-- Those whose graphs are at breakpoints wait for nothing but that the thread goes on.
local function choose_stopped()
  local key = P .. KEY.tasks
  local count = tonumber(call('HGET', key, TASK_FIELD.stops) or 0)
  call('HDEL', key, TASK_FIELD.stops)
  -- Asked again, they are chosen with those that ask.
  if A.mode == MODE.reask then return end
  for _, tid in ipairs(numbered(key, TASK_FIELD.stopped, count)) do choose(tid) end
end

local joins = st == STATUS.busy and resumes
if st == STATUS.busy and not joins then return {REPLY.busy, run} end
-- Somebody else went on since the caller looked: what it brings was meant for another superstep.
-- An id says by itself which question it answers.
if A.ep ~= '' and A.ep ~= ep then return {REPLY.conflict} end
if retries then
  if st ~= STATUS.error or not is_open('') then return {REPLY.nothing, st} end
  choose_failed()
else
  if st ~= STATUS.interrupted and not joins then return {REPLY.nothing, st} end
  if resumes then
    if not choose_answered() then return {REPLY.no_interrupt, pending()} end
  else choose_asking() end
  if #chosen == 0 then return {REPLY.nothing, st} end
end

thaw()
restore_step('')
choose_stopped()
local last = read_run(run)
local from = last[RUN_ROW.events]
if joins then note_joined(A.run, run)
else
  note_form(FORMAT.config)
  from = begin_run(A.run, RUN_ROW{kind = A.mode, status = RUN.pending, checkpoint = '',
    began = now(), ended = 0, by = A.by, position = 0, origin = head,
    released = last[RUN_ROW.released], stop = A.stop < 0 and last[RUN_ROW.stop] or A.stop,
    modes = A.modes, events = '',
    metadata = A.keep_cfg and last[RUN_ROW.metadata] or blob(A.metadata),
    config = A.keep_cfg and last[RUN_ROW.config] or blob(A.cfg), error = ''})
  run = A.run
  if A.fp ~= '' then call('HSET', H, HEADER.fingerprint, A.fp) end
end

-- While the run was failed the hints of what was not started went to nobody: all are given again.
local function waiting()
  if call('SCARD', P .. KEY.queued) > LIMIT.hints then return {}, 1 end
  return hints('', call('SMEMBERS', P .. KEY.queued)), 0
end

-- Who looks back sees what was asked, and who answered; of what was asked again only the last.
local function note_asked(tid, answered)
  local key, field = P .. KEY.tasks, TASK_FIELD.asked .. tid
  local asked = text_of({call('HGET', P .. KEY.questions, tid),
    call('HGET', key, TASK_FIELD.question .. tid),
    encode(ANSWERED_BY{run = answered and A.run or '', at = now(), by = A.by})})
  if answered then
    call('HSET', key, field, (call('HGET', key, field) or '') .. asked)
    call('HDEL', key, TASK_FIELD.asked_again .. tid)
  else call('HSET', key, TASK_FIELD.asked_again .. tid, asked) end
  call('HSET', key, TASK_FIELD.answered, 1)
end

local out, more = {}, 0
for _, each in ipairs(chosen) do
  local tid = each.tid
  local task = read_task('', tid)
  if not retries then note_asked(tid, resumes) end
  -- A new round: what an earlier attempt still brings does not know this answer.
  if not each.late then task[TASK.round] = A.rnd end
  task[TASK.attempts], task[TASK.lost], task[TASK.failures] = 0, 0, 0
  for _, position in ipairs(each.answers) do
    note_form(FORMAT.answer)
    call('HSET', P .. KEY.tasks, TASK_FIELD.answer .. tid .. '|' .. task[TASK.answers],
      blob(position))
    task[TASK.answers] = task[TASK.answers] + 1
  end
  if not retries then forget_asking(call('HGET', P .. KEY.questions, tid)) end
  call('HDEL', P .. KEY.questions, tid)
  call('HDEL', P .. KEY.tasks, TASK_FIELD.error .. tid, TASK_FIELD.question .. tid)
  requeue('', tid, task)
  not_due('', tid, DUE.back_off, DUE.deadline)
  due_outbox('')
  out[#out + 1] = hint('', tid, task)
end
if #A.caller_writes > 0 then note_form(FORMAT.result) end
add_caller_writes('', blobs(A.caller_writes))
if #A.tasks > 0 then queue_tasks('', A.tasks, A.first, A.reads) end
if retries then out, more = waiting()
else
  for _, row in ipairs(A.tasks) do
    local queue = row[NEW_TASK.queue] == '' and default_queue or row[NEW_TASK.queue]
    out[#out + 1] = HINT{ns = '', epoch = ep, tid = row[NEW_TASK.id], queue = queue,
      priority = row[NEW_TASK.priority]}
  end
end

-- Late results may have closed the barrier while the run was failed; nobody else would see it
-- (flaw F2).
local closing = retries and barrier('', {st = STATUS.busy, advance = ''}, '', 0)
return ANSWERED{status = joins and REPLY.joined or REPLY.go, epoch = ep, event_id = from,
  run = run, now = now(), hints = out, advance = closing == REPLY.advance and 1 or 0, more = more}
