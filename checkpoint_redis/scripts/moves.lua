-- needs: lib.lua format.lua slices.lua frozen.lua task.lua due.lua barrier.lua again.lua
-- What a call goes on with that is too much for one script: answers, what is asked or tried again, what
-- is released. The script that accepts it sets all of it aside, and slices queue it.
--
-- Begun     In one script: the answers that were staged are kept, the questions that are asked again and
--           the tasks that are tried again get a key of their own, of the tasks at breakpoints a range of
--           numbers is enough. MOVE, m of s:, tells the rest.
-- Held      TID.move stands among the active tasks, so that the superstep cannot close before.
-- Moved     By whoever calls: the client that began it, one that wants to do something else, or a sweep
--           when nobody has for a while. What a slice takes it removes, so that any number of them may.
-- Dropped   With the superstep.
local function move_under_way()
  local text = call('HGET', P .. KEY.tasks, TASK_FIELD.move)
  return text and decode(text) or nil
end

local function write_move(move)
  note_form(FORMAT.row)
  call('HSET', P .. KEY.tasks, TASK_FIELD.move, encode(move))
end

local function begin_move(move)
  call('SADD', P .. KEY.active, TID.move)
  write_move(move)
  due('', '', DUE.move, now() + LIMIT.outbox_ms)
end

local function is_moved(move)
  return move[MOVE.first] == move[MOVE.last]
    and call('EXISTS', P .. KEY.answers, P .. KEY.withdrawn, P .. KEY.failed) == 0
end

-- --- what a slice takes ---

-- A slice as it was staged: all answers of each of its tasks.
local function take_answered()
  local key, out, of = P .. KEY.answers, {}, {}
  local number = call('HLEN', key) - 1
  local list = number >= 0 and (list_at(call('HGET', key, number), 1)) or {}
  call('HDEL', key, number)
  for i = 1, #list, 2 do
    local tid = list[i]
    if not of[tid] then
      of[tid] = asking(tid, {})
      out[#out + 1] = of[tid]
    end
    table.insert(of[tid].answers, list[i + 1])
  end
  return out
end

local function take_asking()
  local key, out = P .. KEY.withdrawn, {}
  for i, tid in ipairs(call('HRANDFIELD', key, LIMIT.moved) or {}) do
    out[i] = {tid = tid, questions = call('HGET', key, tid)}
    call('HDEL', key, tid)
  end
  return out
end

local function take_failed(st)
  -- It has failed once more: the next retry finds all of them.
  if st == STATUS.error then call('UNLINK', P .. KEY.failed) end
  local out = {}
  for _, tid in ipairs(call('SPOP', P .. KEY.failed, LIMIT.moved)) do out[#out + 1] = tried_again(tid) end
  return out
end

local function take_stopped(move)
  local key, first = P .. KEY.tasks, move[MOVE.first]
  local count = math.min(move[MOVE.last] - first, LIMIT.moved)
  local out, fields = {}, {}
  for i, tid in ipairs(numbered(key, TASK_FIELD.stopped, first, count)) do
    out[i], fields[i] = asking(tid), TASK_FIELD.stopped .. first + i - 1
  end
  many('HDEL', key, fields)
  move[MOVE.first] = first + count
  return out
end

local function take_some(move, st)
  local some = take_answered()
  if #some == 0 then some = take_asking() end
  if #some == 0 then some = take_failed(st) end
  if #some == 0 then some = take_stopped(move) end
  return some
end

-- st: the thread's status -> hints, of a run that failed none: a retry gives them all
local function move_some(move, st)
  local out = {}
  for i, each in ipairs(take_some(move, st)) do out[i] = queue_again('', move, each) end
  if is_moved(move) then
    call('HDEL', P .. KEY.tasks, TASK_FIELD.move)
    call('SREM', P .. KEY.active, TID.move)
    not_due('', '', DUE.move)
  else
    write_move(move)
    due('', '', DUE.move, now() + LIMIT.outbox_ms)
  end
  if st ~= STATUS.busy then return {} end
  if #out > 0 then due_outbox('') end
  -- All that was queued before may be done by now.
  if barrier('', {st = st, advance = ''}, '', 0) == REPLY.advance then
    local queue, ep = route('')
    out[#out + 1] = HINT{ns = '', epoch = ep, tid = TID.advance, queue = queue, priority = 0}
  end
  return out
end
