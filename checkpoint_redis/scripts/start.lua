-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Starts a run on a thread at rest, creating the thread when it does not exist.
-- KEYS[1] header. ARGV[1] {run, expect, id, graph, fp, queue, cfg, modes, released, keep, step}
-- with id, cfg and the superstep's blobs as positions.
-- -> {go|stop|end|fail, ep, event id} | {busy, run} | {conflict, head} | {unstaged} | {dup, ...}
local again = repeated(A.run)
if again then return again end
local h = call('HMGET', H, 'st', 'run', '/cp', 'created')
-- One run at a time: two would open two supersteps.
if h[1] == 'busy' then return {'busy', h[2]} end
-- Planned on another head than the present one: somebody else was faster.
if (h[3] or '') ~= A.expect then return {'conflict', h[3] or ''} end
if A.step.staged and not is_staged(A.step.ep) then return {'unstaged'} end
thaw()
call('HSET', H, 'v', '1', 'id', blob(A.id), 'graph', A.graph, 'fp', A.fp, 'queue', A.queue,
  'modes', A.modes, 'released', A.released, 'created', h[4] or now())
call('HSET', C, 'cfg', blob(A.cfg))
drop_step('')
local from = begin_run(A.run, 'start', A.keep)
local reply = open_step('', A.step)
reply[3] = from
return reply
