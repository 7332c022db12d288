-- needs: lib.lua
-- When questions are over that nobody answers.

-- questions: QUESTION rows, or nil. -> the time of the first that has a deadline, or nil
local function first_deadline(questions)
  local first
  for _, question in ipairs(questions or {}) do
    local at = question[QUESTION.deadline]
    if at > 0 and (not first or at < first) then first = at end
  end
  return first
end

local function is_late(question)
  local at = question[QUESTION.deadline]
  return at > 0 and at <= now()
end
