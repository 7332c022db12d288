-- needs: lib.lua format.lua frozen.lua asks.lua
-- Stores a slice of the answers of a wide call, which its answer.lua then takes over; refuses what is
-- not asked. KEYS[1] header. ARGV[1] {rnd, number, pairs}; pairs: ANSWER
-- -> {staged, moment} | {moving} | {no_interrupt, iid, pending} | {nothing, st} | {missing}
local st, ep, number = unpack(call('HMGET', H, HEADER.status, FRAME.epoch, HEADER.form))
local refused = too_old(number)
if refused then return refused end
if not st then return {REPLY.missing} end
if st ~= STATUS.interrupted and st ~= STATUS.busy then return {REPLY.nothing, st} end
-- Some of what is asked has an answer, which is not with its task yet.
if call('HEXISTS', P .. KEY.tasks, TASK_FIELD.move) == 1 then return {REPLY.moving} end
local unknown = first_unknown(A.pairs)
if unknown then return {REPLY.no_interrupt, unknown, pending()} end
local list = {}
for _, pair in ipairs(A.pairs) do
  list[#list + 1], list[#list + 2] = pair[ANSWER.tid], blob(pair[ANSWER.blob])
end
local key = P .. KEY.staged_answers .. A.rnd
call('HSET', key, A.number, text_of(list))
call('PEXPIRE', key, LIMIT.staged_ms)
return {REPLY.staged, moment(ep)}
