-- needs: lib.lua format.lua
-- Records of tasks, and what is published of them.
local function read_task(ns, tid)
  local text = call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.record .. tid)
  return text and decode(text)
end

local function write_task(ns, tid, task)
  note_form(FORMAT.row)
  call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.record .. tid, encode(task))
end

local function queue_of(task, default)
  return task[TASK.queue] == '' and default or task[TASK.queue]
end

-- What to publish for a task.
local function hint(ns, tid, task)
  local ep, queue = unpack(call('HMGET', H, ns .. FRAME.epoch, HEADER.queue))
  return HINT{ns = ns, epoch = ep, tid = tid, queue = queue_of(task, queue),
    priority = task[TASK.priority]}
end

-- The hints of a list of tasks.
local function hints(ns, tids)
  local out = {}
  for i, tid in ipairs(tids) do out[i] = hint(ns, tid, read_task(ns, tid)) end
  return out
end
