-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua read.lua served.lua
-- Takes the right to reduce and commit a closed superstep.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, lease, served, max, error}
-- -> {advance, context, writes|false} | {busy} | {gone} | {unserved, graph, fp} | {failed}
local f = fence(A.ns, A.ep, BUSY)
if not f then return {'gone'} end
local ok, unserved = served(f, A.served)
if not ok then return unserved end
if f.adv == 'l' and f.advtok == A.tok then return advance(A.ns) end
if f.adv ~= 'q' then return {'busy'} end
-- A reducer that kills its worker must not go round for ever.
if tonumber(call('HGET', H, A.ns .. '/advn') or 0) >= A.max then
  finish_run('error', 'error', blob(A.error))
  return {'failed'}
end
call('HSET', H, A.ns .. '/adv', 'l', A.ns .. '/advtok', A.tok)
call('HINCRBY', H, A.ns .. '/advn', 1)
due(A.ns, '', 'a', now() + A.lease)
return advance(A.ns)
