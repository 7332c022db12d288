-- include: lib.lua task.lua
-- A part of the outbox. KEYS[1] header. ARGV[1] {ns, ep, cursor, count} -> {cursor, hints}
if not fence(A.ns, A.ep, BUSY) then return {'0', {}} end
local part = call('SSCAN', P .. 'q:' .. A.ns, A.cursor, 'COUNT', A.count)
local out = {}
for i, tid in ipairs(part[2]) do out[i] = hint(A.ns, tid, get(A.ns, tid)) end
return {part[1], out}
