-- needs: lib.lua format.lua frozen.lua lines.lua drop.lua ending.lua status.lua
-- Drops the open superstep. KEYS[1] header. ARGV[1] {run, ep} -> {cancelled, run} | {idle}
local st, run, last, number =
  unpack(call('HMGET', H, HEADER.status, HEADER.run, HEADER.cancelled, HEADER.form))
local refused = too_old(number)
if refused then return refused end
-- This very call has come before, and its reply was lost: what the thread has by now is another's.
local ep, cancelled = string.match(last or '', '^(%S+) (.*)$')
if ep == A.ep then return {REPLY.cancelled, cancelled} end
-- '' where there is no thread, or no run has been on it.
local named = A.run == '' and run or A.run
if st == STATUS.idle or named ~= run then
  if outcome_of(named) == RUN.cancelled then return {REPLY.cancelled, named} end
  return {REPLY.idle}
end
thaw()
drop_step('')
-- The checkpoint stays the same, so that only a new epoch keeps the old run's results out (F3).
-- The next start has another one: the call is known again by a note of its own.
call('HSET', H, FRAME.epoch, A.ep, HEADER.cancelled, A.ep .. ' ' .. run)
-- An interrupted or failed run has its outcome already.
if st == STATUS.busy then finish_run(STATUS.idle, RUN.cancelled) else put_to_rest(STATUS.idle) end
return {REPLY.cancelled, run}
