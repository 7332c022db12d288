-- needs: lib.lua format.lua frozen.lua pack.lua channels.lua head.lua
-- Everything stored of one frame, at one moment.
-- KEYS[1] header. ARGV[1] {ns, cp, open} (cp '' = head) -> LOADED | false
local h = header_of(A.ns)
if not h then return false end
local refused = too_old(h[HEADER_ROW.form])
if refused then return refused end
local head = A.cp == '' or A.cp == h[HEADER_ROW.checkpoint]
local at = A.ns .. '|' .. (head and h[HEADER_ROW.checkpoint] or A.cp)
local log = {}
for i = 1, tonumber(cget(FIELD.log .. at) or 0) do
  log[i] = cget(FIELD.log .. at .. '|' .. (i - 1))
end
-- The references of an older checkpoint are in its blob, which only the caller can read.
local refs = head and decode(cget(FIELD.head_refs .. A.ns) or '[]') or {}
local kept = cget(FIELD.caller_writes .. at)
return LOADED{header = h, run = cget(FIELD.run .. (h[HEADER_ROW.run] or '')),
  checkpoint = cget(FIELD.checkpoint .. at), channels = channels(A.ns, refs, math.huge),
  log = log, caller_writes = kept and (list_at(kept, 1)) or {},
  open = head and A.open == 1 and OPEN{tasks = fields_of(A.ns, KEY.tasks),
    writes = fields_of(A.ns, KEY.writes), questions = fields_of(A.ns, KEY.questions)}}
