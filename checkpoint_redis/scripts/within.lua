-- needs: lib.lua
-- Frames inside tasks: to which superstep around them what they have open belongs.

-- The frame of the task around, and the task.
local function task_around(ns) return unpack(call('HMGET', frame_key(ns), FRAME.parent, FRAME.task)) end

-- Whether what it has open are the functions that its task calls, and no superstep of a graph.
local function is_calls(ns) return ns ~= '' and call('HGET', frame_key(ns), FRAME.kind) == KIND.calls end

-- Whether each superstep on the way up to the root is the one that parked a task for the frame below:
-- whatever renews an epoch makes all below it void at once.
local function is_current(ns)
  while ns ~= '' do
    local parent, epoch = unpack(call('HMGET', frame_key(ns), FRAME.parent, FRAME.around))
    if not epoch or call('HGET', frame_key(parent), FRAME.epoch) ~= epoch then return false end
    ns = parent
  end
  return true
end
