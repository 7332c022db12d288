-- needs: lib.lua fence.lua slices.lua task.lua due.lua served.lua context.lua
-- Takes queued tasks for one attempt each, under a lease.
-- KEYS[1] header. ARGV[1] {ns, ep, tids, tok, owner, lease, served}
-- -> CLAIM with CLAIMED | REFUSED per task; ok | busy | {gone} | {missing} | UNSERVED
local frame, beyond = fence(A.ns, A.ep, BUSY)
local refused = beyond or frame and not_served(frame, A.served)
if refused then
  due_again(A.ns, DUE.outbox)
  return refused
end
if not frame then return {REPLY.gone} end
local key = P .. KEY.tasks .. A.ns

-- A doubled hint finds the task taken; the same token again is a lost reply.
-- -> record, blob | nil, status
local function take(tid)
  local text, given = unpack(call('HMGET', key, TASK_FIELD.record .. tid, TASK_FIELD.blob .. tid))
  if not text then return nil, REPLY.gone end
  local task = decode(text)
  local running = task[TASK.state] == STATE.running
  if running and task[TASK.token] == A.tok then return task, given end
  if task[TASK.state] ~= STATE.queued then return nil, REPLY.busy end
  task[TASK.state], task[TASK.token], task[TASK.owner] = STATE.running, A.tok, A.owner
  task[TASK.attempts], task[TASK.chunks] = task[TASK.attempts] + 1, 0
  write_task(A.ns, tid, task)
  call('SREM', P .. KEY.queued .. A.ns, tid)
  due(A.ns, tid, DUE.lease, now() + A.lease)
  return task, given
end

local tasks, reads, any = {}, false, false
for i, tid in ipairs(A.tids) do
  local task, given = take(tid)
  if task then
    local answers = numbered(key, TASK_FIELD.answer .. tid .. '|', task[TASK.answers])
    tasks[i] = CLAIMED{tid = tid, status = REPLY.ok, attempts = task[TASK.attempts],
      failures = task[TASK.failures], round = task[TASK.round], blob = given,
      answers = answers}
    any, reads = true, reads or task[TASK.reads] == 1
  else tasks[i] = REFUSED{tid = tid, status = given} end
end
if not any then return CLAIM{status = REPLY.busy, context = false, tasks = tasks} end
return CLAIM{status = REPLY.ok, context = context(A.ns, reads), tasks = tasks}
