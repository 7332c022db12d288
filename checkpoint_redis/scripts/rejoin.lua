-- needs: lib.lua task.lua due.lua requeue.lua superseded.lua restore.lua again_rows.lua rising.lua barrier.lua
-- The open superstep of a frame goes on, once its task is parked again.

-- What is queued, as many as one reply may hold: the hints of before may have gone to nobody.
local function hints_of_all(ns)
  local out = hints(ns, call('SRANDMEMBER', P .. KEY.queued .. ns, LIMIT.hints))
  if call('HGET', frame_key(ns), FRAME.advance) == ADVANCE.waiting then
    local queue, ep = route(ns)
    out[#out + 1] = HINT{ns = ns, epoch = ep, tid = TID.advance, queue = queue, priority = 0}
  end
  return out
end

-- Who is at the tasks that are not queued. Those of an epoch that was renewed are void, and begin again; the
-- others get time, or try again: while the run was failed nobody looked at what was due of them.
local function look_at_going(ns, void)
  local active, queued = P .. KEY.active .. ns, P .. KEY.queued .. ns
  if call('SCARD', active) - call('SCARD', queued) > LIMIT.together then return end
  for _, tid in ipairs(call('SDIFF', active, queued)) do
    local task = read_task(ns, tid)
    if task[TASK.state] == STATE.running then
      if void then
        not_due(ns, tid, DUE.lease)
        tell_superseded(ns, tid, task)
        requeue(ns, tid, task)
      else due(ns, tid, DUE.lease, now() + LIMIT.recheck_ms) end
    -- A sweep that found the frame void has put it off.
    elseif task[TASK.state] == STATE.backing_off then due(ns, tid, DUE.back_off, now()) end
  end
end

-- Whether the frame would have gone up while its task was not parked: a task of it has failed, or left the
-- graph, that does not run again by now.
local function would_go_up(ns)
  local active, queued = P .. KEY.active .. ns, P .. KEY.queued .. ns
  if call('SCARD', active) - call('SCARD', queued) > LIMIT.together then return true end
  for _, tid in ipairs(call('SDIFF', active, queued)) do
    local state = read_task(ns, tid)[TASK.state]
    if state == STATE.failed or state == STATE.done then return true end
  end
  return false
end

-- void: an epoch around was renewed since it was parked; missed: it was to go up meanwhile. -> hints
local function rejoin(ns, st, rows, void, missed)
  restore_step(ns)
  local key = frame_key(ns)
  if void then call('HSET', key, FRAME.epoch, A.tok) end
  queue_rows(ns, rows)
  look_at_going(ns, void)
  if call('EXISTS', P .. KEY.queued .. ns) == 1 then due_outbox(ns) end
  -- Who held the advance may have found the run failed.
  local advance = call('HGET', key, FRAME.advance)
  call('HDEL', key, FRAME.advance, FRAME.advance_token, FRAME.advances)
  if missed and would_go_up(ns) then return rise(ns) end
  local closing, up = barrier(ns, {st = st, advance = ''}, '', A.lease)
  if advance and closing ~= REPLY.advance then not_due(ns, '', DUE.advance) end
  return #up > 0 and up or hints_of_all(ns)
end
