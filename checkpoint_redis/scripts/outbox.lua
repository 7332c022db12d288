-- needs: lib.lua fence.lua task.lua
-- A part of the outbox. KEYS[1] header. ARGV[1] {ns, ep, cursor, count} -> PART of HINT
if not fence(A.ns, A.ep, BUSY) then return PART{cursor = '0', part = {}} end
local found = call('SSCAN', P .. KEY.queued .. A.ns, A.cursor, 'COUNT', A.count)
return PART{cursor = found[1], part = hints(A.ns, found[2])}
