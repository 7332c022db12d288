-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Puts a checkpoint as a saver does: it becomes the head when it is the newest. The thread is
-- created when it does not exist. KEYS[1] header.
-- ARGV[1] {ns, ep, fresh, id, graph, fp, queue, checkpoint}; fresh: only on a new thread
-- -> {ok} | {busy, run} | {conflict, head}
local h = call('HMGET', H, 'st', 'run', A.ns .. '/cp', '/ep')
local st, head = h[1], h[3] or ''
-- Workers hold the open superstep: what a program of another process computes is not theirs.
if st == 'busy' then return {'busy', h[2]} end
if A.fresh and st and h[4] ~= A.ep then return {'conflict', head} end
if not st then create() end
thaw()
-- Whatever ran from the old head may no more write.
call('HSET', H, '/ep', A.ep)
store_checkpoint(A.ns, A.checkpoint)
if A.checkpoint[1] >= head then
  if A.ns == '' and A.checkpoint[1] ~= head then
    drop_step('')
    put_to_rest('idle')
  end
  set_head(A.ns, A.checkpoint)
end
return {'ok'}
