-- needs: lib.lua format.lua task.lua due.lua requeue.lua superseded.lua
-- Takes a thread over to another version of its graph. In the new epoch nothing counts any more that
-- an attempt of the old version brings: what is not done begins again. KEYS[1] header.
-- ARGV[1] {ep, new_ep, fp, queue, restart}; ep: the epoch as the caller read it; restart: also a busy
-- thread -> ADOPTED | {busy, run} | {missing} | {conflict, head}
local st, run, ep, head, number, advance = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  FRAME.epoch, FRAME.checkpoint, HEADER.form, FRAME.advance))
local refused = too_old(number)
if refused then return refused end
if not st then return {REPLY.missing} end

-- Those under a lease, those that wait for their next attempt, or for the graph inside: as many as a
-- script may touch. The rest begins again when its leases run out, which nobody renews.
local function begin_again()
  for n, tid in ipairs(call('SDIFF', P .. KEY.active, P .. KEY.queued)) do
    local task = n <= LIMIT.begun_again and read_task('', tid)
    if n > LIMIT.begun_again then
      call('ZADD', planned_in(DUE.lease), 'NX', now() + LIMIT.recheck_ms, member('', tid, DUE.lease))
    end
    if task and task[TASK.state] ~= STATE.failed then
      not_due('', tid, DUE.lease, DUE.back_off)
      local began = st == STATUS.busy and task[TASK.state] == STATE.running
      if began then tell_superseded('', tid, task) end
      requeue('', tid, task)
    end
  end
end

if ep ~= A.new_ep then
  if st == STATUS.busy and not A.restart then return {REPLY.busy, run} end
  -- What the caller looked at, to see whether the graph has its nodes, is not so any more.
  if ep ~= A.ep then return {REPLY.conflict, head or ''} end
  begin_again()
  call('HSET', H, FRAME.epoch, A.new_ep, HEADER.fingerprint, A.fp, HEADER.queue, A.queue)
  if st == STATUS.busy then due_outbox('') end
  if advance then
    call('HSET', H, FRAME.advance, ADVANCE.waiting, FRAME.advance_token, '', FRAME.advances, 0)
    due('', '', DUE.advance, now() + LIMIT.outbox_ms)
  end
end
return ADOPTED{status = REPLY.ok, busy = st == STATUS.busy and 1 or 0, advance = advance and 1 or 0}
