-- include: lib.lua frozen.lua runs.lua pack.lua numbered.lua caller_writes.lua read.lua
-- Everything stored of one frame, at one moment.
-- KEYS[1] header. ARGV[1] {ns, cp, open} (cp '' = head)
-- -> {header, outcome, error, checkpoint, channels, log, caller writes, s, w, u} | false
-- caller writes: followed|open, then what callers wrote at a checkpoint whose superstep is not open
local h = header_of(A.ns)
if not h then return false end
local head = A.cp == '' or A.cp == h[12]
local at = A.ns .. '|' .. (head and h[12] or A.cp)
local log = {}
for i = 1, tonumber(cget('p|' .. at) or 0) do log[i] = cget('p|' .. at .. '|' .. (i - 1)) end
-- The references of an older checkpoint are in its blob, which only the caller can read.
local blobs = head and channels(A.ns, decode(cget('f|' .. A.ns) or '[]'), math.huge) or {}
local kept = cget('z|' .. at)
local reply = {h, outcome_json(h[6] or ''), cget('oe|' .. (h[6] or '')),
  cget('k|' .. at), blobs, log, kept and (list_at(kept, 1)) or {}}
if head and A.open == 1 then
  for i, key in ipairs({'s:', 'w:', 'u:'}) do reply[7 + i] = fields_of(A.ns, key) end
end
return reply
