-- needs: lib.lua format.lua frozen.lua runs.lua lines.lua asks.lua task.lua due.lua restore.lua begin.lua again.lua choosing.lua moves.lua caller_writes.lua new_tasks.lua barrier.lua
-- Goes on with an open superstep: answers, asks again, or retries. All pairs or none.
-- KEYS[1] header. ARGV[1] {run, mode, ep, pairs, slices, moment, rnd, caller_writes, tasks, first, reads,
-- keep_cfg, cfg, modes, fp, stop, by, metadata, late}; ep: the epoch as the caller read it ('' = whichever it is);
-- pairs: ANSWER, or else how many slices of them were staged for rnd, in which moment; tasks: NEW_TASK; stop
-- -1 = as it is; late: what a sweep answers once a deadline is over.
-- -> ANSWERED: go | joined | {no_interrupt, iid, pending} | {nothing, st} | {busy, run} | {missing}
--  | {conflict} | {moving} | {unstaged} | REPEATED
local st, run, default_queue, ep, number, head = unpack(call('HMGET', H, HEADER.status,
  HEADER.run, HEADER.queue, FRAME.epoch, HEADER.form, FRAME.checkpoint))
local refused = too_old(number)
if refused then return refused end
local again = repeated(A.run)
if again then return again end
if not st then return {REPLY.missing} end
local retries, resumes = A.mode == MODE.retry, A.mode == MODE.resume

local joins = st == STATUS.busy and resumes
if st == STATUS.busy and not joins then return {REPLY.busy, run} end
-- Somebody else went on since the caller looked: what it brings was meant for another superstep.
-- An id says by itself which question it answers.
if A.ep ~= '' and A.ep ~= ep then return {REPLY.conflict} end
-- What was accepted comes first, and whoever calls may help with it.
if call('HEXISTS', P .. KEY.tasks, TASK_FIELD.move) == 1 then return {REPLY.moving} end
local chosen, wide = {}, false
if retries then
  if st ~= STATUS.error or not is_open('') then return {REPLY.nothing, st} end
  chosen, wide = choose_failed()
else
  if st ~= STATUS.interrupted and not joins then return {REPLY.nothing, st} end
  if resumes and A.slices > 0 then
    -- What was asked when the slices came is asked now, and none of them has lapsed.
    local there = call('HLEN', P .. KEY.staged_answers .. A.rnd) == A.slices
    if not there or moment(ep) ~= A.moment then return {REPLY.unstaged} end
    wide = true
  elseif resumes then
    local unknown = first_unknown(A.pairs, A.late)
    if unknown or #A.pairs == 0 then return {REPLY.no_interrupt, unknown or '', pending()} end
    chosen, wide = choose_answered(A.pairs)
  else chosen, wide = choose_asking() end
  if #chosen == 0 and not wide then return {REPLY.nothing, st} end
end

thaw()
restore_step('')
local first_stop, last_stop = choose_stopped(A.mode, chosen)
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
    config = A.keep_cfg and last[RUN_ROW.config] or blob(A.cfg), error = ''}, run)
  run = A.run
  if A.fp ~= '' then call('HSET', H, HEADER.fingerprint, A.fp) end
end

local function set_aside()
  if resumes then
    call('RENAME', P .. KEY.staged_answers .. A.rnd, P .. KEY.answers)
    call('PERSIST', P .. KEY.answers)
  elseif retries then call('SDIFFSTORE', P .. KEY.failed, P .. KEY.active, P .. KEY.queued)
  else call('RENAME', P .. KEY.questions, P .. KEY.withdrawn) end
end

-- While the run was failed the hints of what was not started went to nobody: all are given again.
local function waiting()
  if call('SCARD', P .. KEY.queued) > LIMIT.hints then return {}, 1 end
  return hints('', call('SMEMBERS', P .. KEY.queued)), 0
end

local said = MOVE{mode = A.mode, run = A.run, round = A.rnd, at = now(), by = A.by,
  first = first_stop, last = last_stop}
if not retries then call('HSET', P .. KEY.tasks, TASK_FIELD.answered, A.rnd) end
local out, more = {}, 0
for i, each in ipairs(chosen) do
  if not retries then each.questions = call('HGET', P .. KEY.questions, each.tid) end
  out[i] = queue_again('', said, each)
end
if #out > 0 then due_outbox('') end
if wide then set_aside() end
local moves = wide or first_stop < last_stop
if moves then begin_move(said) end
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
  run = run, now = now(), hints = out, advance = closing == REPLY.advance and 1 or 0,
  more = more, moves = moves and 1 or 0}
