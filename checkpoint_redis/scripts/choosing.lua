-- needs: lib.lua slices.lua due.lua pack.lua again.lua
-- What an answer, a reask or a retry goes on with: a list for again.lua, empty where it is too much for
-- one script, and whether it is.

-- given: ANSWER rows
local function choose_answered(given)
  local chosen, of = {}, {}
  for _, pair in ipairs(given) do
    local tid = pair[ANSWER.tid]
    if not of[tid] then
      of[tid] = {tid = tid, answers = {}}
      chosen[#chosen + 1] = of[tid]
    end
    table.insert(of[tid].answers, blob(pair[ANSWER.blob]))
  end
  return chosen, false
end

local function choose_asking()
  if call('HLEN', P .. KEY.questions) > LIMIT.together then return {}, true end
  local chosen, fields = {}, fields_of('', KEY.questions)
  for i = 1, #fields, 2 do chosen[#chosen + 1] = {tid = fields[i]} end
  return chosen, false
end

local function choose_failed()
  local active, queued, chosen = P .. KEY.active, P .. KEY.queued, {}
  due_outbox('')
  if call('SCARD', active) - call('SCARD', queued) > LIMIT.together then return {}, true end
  for _, tid in ipairs(call('SDIFF', active, queued)) do chosen[#chosen + 1] = tried_again(tid) end
  return chosen, false
end

-- Those whose graphs are at breakpoints wait for nothing but that the thread goes on: they are added to
-- `chosen`. -> the numbers of those that are too many, the last one not among them
local function choose_stopped(mode, chosen)
  local key = P .. KEY.tasks
  local released, stops = unpack(call('HMGET', key, TASK_FIELD.released, TASK_FIELD.stops))
  local first, last = tonumber(released or 0), tonumber(stops or 0)
  -- Asked again, they are chosen with those that ask.
  if mode == MODE.reask then first = last end
  if last - first > LIMIT.together then
    call('HSET', key, TASK_FIELD.released, last)
    return first, last
  end
  if stops then call('HDEL', key, TASK_FIELD.stops, TASK_FIELD.released) end
  for _, tid in ipairs(numbered(key, TASK_FIELD.stopped, first, last - first)) do
    chosen[#chosen + 1] = {tid = tid}
  end
  return last, last
end
