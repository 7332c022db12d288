-- needs: lib.lua
-- Who asks what: of the questions of all frames one hash, that of the root's tasks, tells by their ids
-- which task asks. A graph that stopped inside a task asks nothing.
local function note_asking(ns, tid, questions)
  for _, question in ipairs(questions) do
    local iid = question[QUESTION.iid]
    if iid ~= IID.stopped then
      call('HSET', P .. KEY.tasks, TASK_FIELD.interrupt .. iid, ns .. '|' .. tid)
    end
  end
end

-- text: the questions of a task, as u:<ns> has them.
local function forget_asking(text)
  for _, question in ipairs(decode(text)) do
    local iid = question[QUESTION.iid]
    call('HDEL', P .. KEY.tasks, TASK_FIELD.interrupt .. iid)
    if question[QUESTION.place] ~= '' then call('HDEL', P .. KEY.tasks, TASK_FIELD.late .. iid) end
  end
end
