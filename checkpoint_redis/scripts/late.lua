-- needs: lib.lua format.lua pack.lua deadlines.lua
-- What takes the place of answers to the questions of a task whose deadlines are over, as many as one
-- answer.lua is given. KEYS[1] header. ARGV[1] {tid} -> {iid, blob, iid, blob...}
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local out, size, text = {}, 0, field_of('', KEY.questions, A.tid)
for _, question in ipairs(text and decode(text) or {}) do
  local iid = question[QUESTION.iid]
  local late = is_late(question) and field_of('', KEY.tasks, TASK_FIELD.late .. iid)
  if late and #out < 2 * LIMIT.late and size <= LIMIT.inline_writes then
    out[#out + 1], out[#out + 2], size = iid, late, size + #late
  end
end
return out
