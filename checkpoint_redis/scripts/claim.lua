-- include: lib.lua frozen.lua task.lua numbered.lua caller_writes.lua read.lua served.lua
-- Takes queued tasks for one attempt each, under a lease.
-- KEYS[1] header. ARGV[1] {ns, ep, tids, tok, owner, lease, served}
-- -> {ok, context, {tid, status, att, rnd, blob, memo, answers}...}
--  | {busy} | {gone} | {unserved, graph, fp}
local frame = fence(A.ns, A.ep, BUSY)
if not frame then return {'gone'} end
local ok, unserved = served(frame, A.served)
if not ok then return unserved end
local s = P .. 's:' .. A.ns

-- A doubled hint finds the task taken; the same token again is a lost reply.
local function take(tid)
  local found = call('HMGET', s, 't|' .. tid, 'i|' .. tid, 'm|' .. tid)
  if not found[1] then return nil, 'gone' end
  local f = decode(found[1])
  if f[ST] == 'R' and f[TOK] == A.tok then return f, 'ok', found end
  if f[ST] ~= 'Q' then return nil, 'busy' end
  f[ST], f[TOK], f[OWNER], f[ATT] = 'R', A.tok, A.owner, f[ATT] + 1
  put(A.ns, tid, f)
  call('SREM', P .. 'q:' .. A.ns, tid)
  due(A.ns, tid, 'l', now() + A.lease)
  return f, 'ok', found
end

local tasks, reads, any = {}, false, false
for i, tid in ipairs(A.tids) do
  local f, status, found = take(tid)
  tasks[i] = {tid, status}
  if f then
    tasks[i] = {tid, status, f[ATT], f[RND], found[2], found[3],
      numbered(s, 'r|' .. tid .. '|', f[ANSWERS])}
    any, reads = true, reads or f[READS] == 1
  end
end
if not any then return {'busy', false, tasks} end
return {'ok', context(A.ns, reads), tasks}
