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

-- Where a frame's hints go, and its epoch: read once, since no script that gives some changes them.
local routes = {}

local function route(ns)
  local key = frame_key(ns)
  routes[key] = routes[key] or header_and_frame(ns, {HEADER.queue}, {FRAME.epoch})
  return unpack(routes[key])
end

-- What to publish for a task.
local function hint(ns, tid, task)
  local queue, ep = route(ns)
  return HINT{ns = ns, epoch = ep, tid = tid, queue = queue_of(task, queue),
    priority = task[TASK.priority]}
end

-- The hints of a list of at most LIMIT.slice tasks.
local function hints(ns, tids)
  local queue, ep = route(ns)
  local fields, out = {}, {}
  for i, tid in ipairs(tids) do fields[i] = TASK_FIELD.record .. tid end
  if #tids == 0 then return out end
  for i, text in ipairs(call('HMGET', P .. KEY.tasks .. ns, unpack(fields))) do
    local task = decode(text)
    out[i] = HINT{ns = ns, epoch = ep, tid = tids[i], queue = queue_of(task, queue),
      priority = task[TASK.priority]}
  end
  return out
end
