-- needs: lib.lua format.lua frozen.lua runs.lua drop.lua ending.lua status.lua
-- Drops the open superstep. KEYS[1] header. ARGV[1] {run, ep} -> {cancelled, run} | {idle}
local st, run, number = unpack(call('HMGET', H, HEADER.status, HEADER.run, HEADER.form))
local refused = too_old(number)
if refused then return refused end
if not st or (A.run ~= '' and A.run ~= run) then return {REPLY.idle} end
if st == STATUS.idle then
  if outcome_of(run) == RUN.cancelled then return {REPLY.cancelled, run} end
  return {REPLY.idle}
end
thaw()
drop_step('')
-- The checkpoint stays the same, so that only a new epoch keeps the old run's results out (F3).
call('HSET', H, FRAME.epoch, A.ep)
-- An interrupted or failed run has its outcome already.
if st == STATUS.busy then finish_run(STATUS.idle, RUN.cancelled) else put_to_rest(STATUS.idle) end
return {REPLY.cancelled, run}
