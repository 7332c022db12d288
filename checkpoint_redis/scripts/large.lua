-- needs: lib.lua format.lua scan.lua
-- A part of what a large superstep left. KEYS[1] header. ARGV[1] {left, cursor, count}; left: <ns>|<cp>
-- -> PART of ids and results
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local cursor, found = scan(P .. KEY.left .. A.left, A.cursor, A.count, LIMIT.inline_writes)
return PART{cursor = cursor, part = found}
