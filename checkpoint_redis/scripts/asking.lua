-- needs: lib.lua
-- Who asks what: the hash of the root's tasks tells by the ids of questions which task asks, which has
-- those of all frames inside it. A graph that stopped inside a task asks nothing.
local function note_asking(tid, questions)
  for _, question in ipairs(questions) do
    local iid = question[QUESTION.iid]
    if iid ~= IID.stopped then
      call('HSET', P .. KEY.tasks, TASK_FIELD.interrupt .. iid, '|' .. tid)
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
