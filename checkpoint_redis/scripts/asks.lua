-- needs: lib.lua pack.lua deadlines.lua
-- Which questions are open, and which task asks them.

-- The questions of a task, as a set of ids: nobody reads those of its siblings. One whose deadline
-- is over has no other answer than that of the sweep, which is `late`.
local function asked_by(tid, late)
  local iids, text = {}, field_of('', KEY.questions, tid)
  for _, question in ipairs(text and decode(text) or {}) do
    iids[question[QUESTION.iid]] = late or not is_late(question) or nil
  end
  return iids
end

-- The ids of pending questions, of as many tasks as one reply may name.
local function pending()
  local iids, fields = {}, some_fields_of('', KEY.questions)
  for i = 2, #fields, 2 do
    for _, question in ipairs(decode(fields[i])) do
      local waits = question[QUESTION.iid] ~= IID.stopped and not is_late(question)
      if waits then iids[#iids + 1] = question[QUESTION.iid] end
    end
  end
  return iids
end

-- given: ANSWER rows; late: of a sweep. -> the first id that is not asked, or nil
local function first_unknown(given, late)
  local asked = {}
  for _, pair in ipairs(given) do
    local tid, iid = pair[ANSWER.tid], pair[ANSWER.iid]
    asked[tid] = asked[tid] or asked_by(tid, late)
    -- The id names this very instance: an answer to an earlier question of the same task must
    -- not be taken for an answer to this one (flaw F4). Each is consumed once.
    if not asked[tid][iid] then return iid end
    asked[tid][iid] = nil
  end
end

-- While this is the same, no question that was open has been answered, or withdrawn.
local function moment(ep)
  return ep .. ' ' .. (field_of('', KEY.tasks, TASK_FIELD.answered) or '')
end
