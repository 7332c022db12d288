-- needs: lib.lua format.lua task.lua event.lua
-- Appends chunks of one attempt. KEYS[1] header. ARGV[1] {run, ns, tid, tok, first, chunks};
-- first: the number of the first one, as the attempt counts its own from 1 on; chunks: EMITTED -> 1 | 0
local st, run, number = unpack(call('HMGET', H, HEADER.status, HEADER.run, HEADER.form))
local refused = too_old(number)
if refused then return refused end
-- The run has ended: its stream is at rest, and the next run's is not its own.
if st ~= STATUS.busy or run ~= A.run then return 0 end
local task = read_task(A.ns, A.tid)
-- Another attempt has taken its place, whose chunks follow; or the task has ended, after its own.
if not task or task[TASK.token] ~= A.tok then return 0 end
if task[TASK.state] ~= STATE.running then return 0 end
-- What has come before is repeated, because the first reply was lost.
for i = math.max(1, task[TASK.chunks] - A.first + 2), #A.chunks do
  local frame = A.chunks[i][EMITTED.frame]
  local kind, ns = EVENT.custom, A.ns
  if frame ~= '' then kind, ns = EVENT.inner, frame end
  event(kind, ns, CUSTOM_EVENT{tid = A.tid, attempt = task[TASK.attempts]},
    blob(A.chunks[i][EMITTED.blob]))
end
task[TASK.chunks] = math.max(task[TASK.chunks], A.first + #A.chunks - 1)
write_task(A.ns, A.tid, task)
return 1
