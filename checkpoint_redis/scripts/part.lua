-- needs: lib.lua format.lua scan.lua
-- A part of a wide superstep, which is not packed. KEYS[1] header.
-- ARGV[1] {ns, ep, part, cursor, count} -> PART of fields and values | {conflict}
local number, ep = unpack(header_and_frame(A.ns, {HEADER.form}, {FRAME.epoch}))
local refused = too_old(number)
if refused then return refused end
-- What was read before belongs to another superstep.
if ep ~= A.ep then return {REPLY.conflict} end
local cursor, found = scan(P .. A.part .. A.ns, A.cursor, A.count, LIMIT.inline_writes)
return PART{cursor = cursor, part = found}
