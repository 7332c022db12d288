-- needs: lib.lua fence.lua slices.lua task.lua due.lua served.lua rising.lua packet.lua alone.lua context.lua head.lua loaded.lua
-- Takes queued tasks for one attempt each, under a lease.
-- KEYS[1] header. ARGV[1] {ns, ep, tids, tok, owner, lease, served, known}
-- -> CLAIM with CLAIMED | REFUSED per task; ok | busy | {gone} | {missing} | UNSERVED
local frame, beyond = fence(A.ns, A.ep, BUSY)
local refused = beyond or frame and not_served(A.ns, frame, A.served)
if refused then
  due_again(A.ns, DUE.outbox)
  return refused
end
if not frame or not is_parked(A.ns) then return {REPLY.gone} end
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

-- The frame that has gone up for a task. A run that began since, to retry what failed, runs it again.
local function risen(task)
  local ns = task[TASK.risen]
  local now_up = ns ~= '' and call('HGET', frame_key(ns), FRAME.up) == call('HGET', H, HEADER.run)
  return now_up and ns or ''
end

-- The channels that the claimed tasks read, by name.
local wanted, reads = {}, false

local function want(digest)
  if digest == '' then return end
  reads = true
  for _, name in ipairs(decode(call('HGET', key, TASK_FIELD.reads .. digest))) do
    wanted[name] = true
  end
end

-- How the graph stands that the task's node is, or that has gone up for it, so that nobody has to ask
-- for it: where it is known by the task, and the claim is of no more.
local function inner(task)
  local ns = risen(task)
  if ns == '' then ns = task[TASK.inner] end
  return ns ~= '' and #A.tids == 1 and {ns, loaded(ns, '', true, header_of(ns))}
end

local tasks, any = {}, false
for i, tid in ipairs(A.tids) do
  local task, given = take(tid)
  if task then
    local answers = numbered(key, TASK_FIELD.answer .. tid .. '|', 0, task[TASK.answers])
    tasks[i] = CLAIMED{tid = tid, status = REPLY.ok, attempts = task[TASK.attempts],
      failures = task[TASK.failures], round = task[TASK.round], blob = given,
      packet = task[TASK.packet] ~= '' and packet(A.ns, task[TASK.packet]),
      answers = answers, risen = risen(task), inner = inner(task)}
    want(task[TASK.reads])
    any = true
  else tasks[i] = REFUSED{tid = tid, status = given} end
end
if not any then return CLAIM{status = REPLY.busy, context = false, tasks = tasks} end
-- Who will commit needs all of the state, unless it reads nothing of it.
local all = reads and is_alone(A.ns)
return CLAIM{status = REPLY.ok, context = context(A.ns, not all and wanted), tasks = tasks}
