-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Drops the open superstep. KEYS[1] header. ARGV[1] {run, ep} -> {cancelled, run} | {idle}
local h = call('HMGET', H, 'st', 'run')
local st, run = h[1], h[2] or ''
if not st or (A.run ~= '' and A.run ~= run) then return {'idle'} end
if st == 'idle' then
  if outcome_of(run) == 'cancelled' then return {'cancelled', run} end
  return {'idle'}
end
thaw()
drop_step('')
-- The checkpoint stays the same, so that only a new epoch keeps the old run's results out (F3).
call('HSET', H, '/ep', A.ep)
-- An interrupted or failed run has its outcome already.
if st == 'busy' then finish_run('idle', 'cancelled') else put_to_rest('idle') end
return {'cancelled', run}
