-- include: lib.lua
-- Everything stored of one frame, at one moment.
-- KEYS[1] header. ARGV[1] {ns, cp, open} (cp '' = head)
-- -> {header, outcome, error, checkpoint, channels, s, w, u} | false
local h = header_of(A.ns)
if not h then return false end
local o = call('HMGET', H, 'o|' .. (h[6] or ''), 'oe|' .. (h[6] or ''))
local head = A.cp == '' or A.cp == h[13]
local c = call('HMGET', P .. 'c', 'k|' .. A.ns .. '|' .. (head and h[13] or A.cp), 'f|' .. A.ns)
-- The references of an older checkpoint are in its blob, which only the caller can read.
local blobs = head and channels(A.ns, decode(c[2] or '[]'), math.huge) or {}
local reply = {h, o[1], o[2], c[1], blobs}
if head and A.open == 1 then
  for i, key in ipairs({'s:', 'w:', 'u:'}) do reply[5 + i] = call('HGETALL', P .. key .. A.ns) end
end
return reply
