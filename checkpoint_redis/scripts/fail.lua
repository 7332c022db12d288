-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua failing.lua
-- Records a failed attempt: queued again later, or the end of the run.
-- KEYS[1] header. ARGV[1] {ns, ep, tid, tok, error, retry_in, memo} -> {retry|failed|stale|gone}
local frame = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not frame then return {'gone'} end
local f = get(A.ns, A.tid)
-- A late failure of a superseded attempt says nothing about the present one.
if not f or f[TOK] ~= A.tok then return {'stale'} end
if f[ST] == 'B' then return {'retry'} end
if f[ST] == 'X' then return {'failed'} end
if f[ST] ~= 'R' then return {'stale'} end
if A.memo > 0 then call('HSET', P .. 's:' .. A.ns, 'm|' .. A.tid, blob(A.memo)) end
nodue(A.ns, A.tid, 'l')
-- A sibling has ended the run: the task is left as a retry of the run wants it, with no event and
-- no other outcome. Still running, it would be waited for though nobody runs it.
if frame.st ~= 'busy' then
  mark_failed(A.ns, A.tid, f, blob(A.error))
  return {'failed'}
end
if A.retry_in < 0 then
  fail_task(A.ns, A.tid, f, blob(A.error))
  return {'failed'}
end
f[ST], f[OWNER] = 'B', ''
put(A.ns, A.tid, f)
due(A.ns, A.tid, 'b', now() + A.retry_in)
event('retry', {A.ns, A.tid, f[ATT]})
return {'retry'}
