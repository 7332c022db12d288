-- needs: lib.lua fence.lua task.lua due.lua requeue.lua failing.lua superseded.lua
-- Queues again what `owner` held; of the advance that is who has its token. KEYS[1] header.
-- ARGV[1] {ns, ep, tids, owner, max_lost, error, given_back}
-- -> {released, HINT...} | {failed, HINT...} | {gone}
local frame = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not frame then return {REPLY.gone} end
local busy = frame.st == STATUS.busy
local out = {}

-- Given back: it counts to none of those that vanished.
local function release_advance()
  if not busy or frame.advance ~= ADVANCE.leased or frame.token ~= A.owner then return end
  call('HSET', frame_key(A.ns), FRAME.advance, ADVANCE.waiting, FRAME.advance_token, '')
  call('HINCRBY', frame_key(A.ns), FRAME.advances, -1)
  due(A.ns, '', DUE.advance, now() + LIMIT.outbox_ms)
  out[#out + 1] = HINT{ns = A.ns, epoch = A.ep, tid = TID.advance,
    queue = call('HGET', H, HEADER.queue), priority = 0}
end

for _, tid in ipairs(A.tids) do
  if tid == TID.advance then release_advance() end
  local task = read_task(A.ns, tid)
  -- Taken over meanwhile by another worker, whose attempt must go on.
  if task and task[TASK.state] == STATE.running and task[TASK.owner] == A.owner then
    not_due(A.ns, tid, DUE.lease)
    if busy then tell_superseded(A.ns, tid, task) end
    if A.given_back then task[TASK.attempts] = task[TASK.attempts] - 1
    elseif busy then
      local failed, up = lose(A.ns, tid, task, A.max_lost, blob(A.error))
      if failed then return {REPLY.failed, up} end
    end
    requeue(A.ns, tid, task)
    -- Of a failed run nothing is started until it is retried, which tells of all that is queued.
    if busy then
      due_outbox(A.ns)
      out[#out + 1] = hint(A.ns, tid, task)
    end
  end
end
return {REPLY.released, out}
