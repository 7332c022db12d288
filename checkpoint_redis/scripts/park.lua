-- needs: lib.lua format.lua fence.lua held.lua task.lua due.lua frames.lua log.lua staged.lua restore.lua drop.lua store_checkpoints.lua open.lua calls.lua rejoin.lua
-- Parks a task with whose graph, or with whose calls of functions, jobs go on: the graph's superstep is
-- opened, or goes on, and the attempt ends without a result. KEYS[1] header.
-- ARGV[1] {ns, ep, tid, tok, seen, inner, frame, cp, records, checkpoints, step, calls, again, stop, released, call,
-- lease}; ns, ep, tid, tok: the attempt; seen: the frame's epoch as it knows it; inner: the frame's hash; step: what is
-- opened, false = what is open goes on with the tasks of `again`: AGAIN; calls: those that begin, of a frame of calls
-- -> PARKED | {gone}: it was given up | {conflict}: the frame is another's | {unstaged}
local open = fence(A.ns, A.ep, BUSY_OR_ERROR)
local task = open and read_task(A.ns, A.tid)
if not task or task[TASK.token] ~= A.tok then return {REPLY.gone} end
local key = frame_key(A.inner)
local ep, before = unpack(call('HMGET', key, FRAME.epoch, FRAME.around))
if task[TASK.state] == STATE.parked then
  -- A repetition, because the reply was lost.
  return PARKED{status = REPLY.parked, epoch = ep, hints = A.step and {} or hints_of_all(A.inner)}
end
if task[TASK.state] ~= STATE.running then return {REPLY.gone} end
-- What it follows a fail-over may have lost, or another task that shares the frame went on from.
if (ep or '') ~= A.seen then return {REPLY.conflict} end
local present = is_held(A.inner) and is_open(A.inner)
if not A.step and not A.calls and not present then return {REPLY.conflict} end
if A.calls and A.calls.staged and (present or not is_staged(A.calls.ep)) then return {REPLY.unstaged} end
if A.step and A.step.staged and not is_staged(A.step.ep) then return {REPLY.unstaged} end
if not checkpoints_are_staged(A.checkpoints)
  or A.step and not checkpoints_are_staged(A.step.checkpoints) then return {REPLY.unstaged} end

-- -> CHECKPOINT rows that follow what is open, nil where nothing does: it is another's
local function following()
  local rows = {}
  for _, row in ipairs(A.checkpoints) do rows[#rows + 1] = row end
  for _, row in ipairs(A.step.checkpoints) do rows[#rows + 1] = row end
  return present and #rows > 0 and rows or nil
end

local function open_inner()
  if present then restore_step(A.inner) end
  if is_open(A.inner) then drop_step(A.inner, following()) end
  list_frame(A.inner, A.frame)
  if #A.records > 0 then
    note_form(FORMAT.newest)
    append_log(A.inner, A.cp, A.records)
  end
  store_checkpoints(A.inner, A.checkpoints)
  open_step(A.inner, A.step)
end

-- A body that waits for calls again begins more of them beside those that it has. -> hints
local function go_on_with_calls(void)
  restore_step(A.inner)
  queue_calls(A.inner, A.calls)
  local given = rejoin(A.inner, open.st, A.again, void, false)
  -- Who began them knows their hints.
  return (void or #A.again > 0 or #given == 1 and given[1][HINT.ns] ~= A.inner) and given or {}
end

local missed = call('HGET', key, FRAME.missed)
task[TASK.state], task[TASK.owner], task[TASK.lost], task[TASK.risen] = STATE.parked, '', 0, ''
write_task(A.ns, A.tid, task)
not_due(A.ns, A.tid, DUE.lease)
if A.step then open_inner()
elseif A.calls and not present then
  begin_calls(A.inner, A.frame, A.calls.ep)
  queue_calls(A.inner, A.calls)
end
-- A frame that lasts from run to run has another task around it each time.
belong(A.inner, A.ns, A.tid, A.ep)
call('HSET', key, FRAME.stop, A.stop, FRAME.released, A.released, FRAME.call, blob(A.call))
call('HDEL', key, FRAME.error, FRAME.missed)
local given = {}
if A.calls then given = present and go_on_with_calls(before ~= A.ep) or {}
elseif not A.step then given = rejoin(A.inner, open.st, A.again, before ~= A.ep, missed) end
return PARKED{status = REPLY.parked, epoch = call('HGET', key, FRAME.epoch), hints = given}
