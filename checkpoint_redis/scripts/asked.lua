-- needs: lib.lua format.lua pack.lua head.lua
-- Which tasks ask the questions of some ids, and what they ask: nobody reads the others' questions.
-- KEYS[1] header. ARGV[1] {iids} -> ASKED with {iid, task, questions} for those of the root that wait,
-- as many as one reply may hold | false; what a task asks stands with the first of its ids, else ''.
local h = header_of('')
if not h then return false end
local refused = too_old(h[HEADER_ROW.form])
if refused then return refused end
local at_rest, known = packed(''), {}
for i = 1, #(at_rest and at_rest[KEY.tasks] or {}), 2 do
  known[at_rest[KEY.tasks][i]] = at_rest[KEY.tasks][i + 1]
end

local function of_tasks(field)
  if at_rest then return known[field] end
  return call('HGET', P .. KEY.tasks, field)
end

local out, size, told = {}, 0, {}
for _, iid in ipairs(A.iids) do
  local place = of_tasks(TASK_FIELD.interrupt .. iid)
  local ns, tid = string.match(place or '', '^(.-)|(.*)$')
  local text = ns == '' and (told[tid] and '' or of_tasks(TASK_FIELD.question .. tid))
  size = size + #(text or '')
  if text and size <= LIMIT.inline_writes then
    out[#out + 1] = {iid, tid, text}
    told[tid] = true
  end
end
return ASKED{header = h, asked = out}
