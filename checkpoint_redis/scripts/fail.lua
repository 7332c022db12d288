-- needs: lib.lua fence.lua task.lua due.lua rising.lua failing.lua superseded.lua
-- Records a failed attempt: queued again later, or the end of the run.
-- KEYS[1] header. ARGV[1] {ns, ep, tid, tok, error, retry_in} -> {failed, HINT...} | {retry|stale|gone}
local frame = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not frame then return {REPLY.gone} end
local task = read_task(A.ns, A.tid)
-- A late failure of a superseded attempt says nothing about the present one.
if not task or task[TASK.token] ~= A.tok then return {REPLY.stale} end
if task[TASK.state] == STATE.backing_off then return {REPLY.retry} end
if task[TASK.state] == STATE.failed then
  return {REPLY.failed, A.ns == '' and {} or hint_around(A.ns)}
end
if task[TASK.state] ~= STATE.running then return {REPLY.stale} end
not_due(A.ns, A.tid, DUE.lease)
-- A sibling has ended the run: the task is left as a retry of the run wants it, with no event and
-- no other outcome. Still running, it would be waited for though nobody runs it.
if frame.st ~= STATUS.busy then
  mark_failed(A.ns, A.tid, task, blob(A.error))
  return {REPLY.failed, {}}
end
if A.retry_in < 0 then
  return {REPLY.failed, fail_task(A.ns, A.tid, task, blob(A.error))}
end
-- What failed inside it runs again: the next attempt does not take that as it stands.
task[TASK.state], task[TASK.owner], task[TASK.risen] = STATE.backing_off, '', ''
-- What the budget of a retry policy counts: a claim whose worker was killed is no failure.
task[TASK.failures] = task[TASK.failures] + 1
write_task(A.ns, A.tid, task)
due(A.ns, A.tid, DUE.back_off, now() + A.retry_in)
tell_superseded(A.ns, A.tid, task)
return {REPLY.retry}
