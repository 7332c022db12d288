-- needs: lib.lua format.lua moves.lua
-- Queues a slice of what a wide call goes on with. KEYS[1] header. ARGV[1] {} -> MOVED | {gone}
local st, number = unpack(call('HMGET', H, HEADER.status, HEADER.form))
local refused = too_old(number)
if refused then return refused end
local move = move_under_way()
if not move then return {REPLY.gone} end
local given = move_some(move, st)
return MOVED{status = REPLY.moved, hints = given, moves = move_under_way() and 1 or 0}
