-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Puts checkpoints on a thread at rest, creating it when a graph is named.
-- KEYS[1] header. ARGV[1] {expect, waiting, id, graph, fp, queue, ep, checkpoints}
-- -> {ok} | {busy, run} | {conflict, head} | {missing}
local h = call('HMGET', H, 'st', 'run', '/cp', '/ep')
local st, head = h[1], h[3] or ''
if not st and A.graph == '' then return {'missing'} end
if st == 'busy' then return {'busy', h[2]} end
if h[4] == A.ep then return {'ok'} end
if head ~= A.expect then return {'conflict', head} end
if not st then create() end
thaw()
drop_step('')
call('HSET', H, '/ep', A.ep)
store_checkpoints('', A.checkpoints)
put_to_rest(A.waiting and 'interrupted' or 'idle')
return {'ok'}
