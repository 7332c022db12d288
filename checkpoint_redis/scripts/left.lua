-- needs: lib.lua format.lua frozen.lua parts.lua runs.lua
-- What the tasks of a superstep left stays beside the checkpoint from which they ran, in a field of C:
-- a list with each task's id, its result (or error, or question), the questions that were answered,
-- and the answers. A wide or large superstep's writes are a key of their own, which a set names; the
-- field is then ''.
local function left_name(ns)
  return ns .. '|' .. (call('HGET', frame_key(ns), FRAME.checkpoint) or '')
end

local function is_large(ns)
  local size = tonumber(call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.writes_size) or 0)
  -- Each of the writes has some bytes.
  local some = size > LIMIT.left_fields
  return size > LIMIT.left_bytes or some and call('HLEN', P .. KEY.writes .. ns) > LIMIT.left_fields
end

-- Only a run that asked or failed has more of its tasks than writes. Of a wide one these alone are
-- kept: a script must stay short.
local function more_of(ns, at_rest, committed)
  if at_rest then return at_rest[KEY.tasks] end
  local tasks, asking = P .. KEY.tasks .. ns, P .. KEY.questions .. ns
  local plain = call('HEXISTS', tasks, TASK_FIELD.answered) == 0 and (committed
    or ns == '' and call('EXISTS', asking) == 0
      and call('HGET', H, HEADER.status) ~= STATUS.error)
  return (plain or call('HLEN', tasks) > LIMIT.slice) and {} or call('HGETALL', tasks)
end

-- The new values of a commit, which results may share: name, bytes without their version, name...
local function values_of(checkpoints)
  local out = {}
  for _, row in ipairs(checkpoints or {}) do
    local channels = row[CHECKPOINT.channels]
    for i = 1, #channels, 2 do
      local bytes = string.sub(blob(channels[i + 1]), 2)
      if #bytes > LIMIT.shared then out[#out + 1], out[#out + 2] = channels[i], bytes end
    end
  end
  return out
end

-- A result without what stands in one of `values`.
local function share(result, values)
  for i = 1, #values, 2 do
    local first = string.find(result, values[i + 1], 1, true)
    if first then
      return without(result,
        {SPAN{name = values[i], first = first, start = 2, length = #values[i + 1]}})
    end
  end
  return result
end

local function rows_of(writes, more, values)
  local rows, by_id = {}, {}
  local function row(tid)
    if not by_id[tid] then
      by_id[tid] = LEFT{tid = tid, result = '', asked = '', answers = {}}
      rows[#rows + 1] = by_id[tid]
    end
    return by_id[tid]
  end
  for i = 1, #writes, 2 do
    row(writes[i])[LEFT.result] = share(writes[i + 1], values)
  end
  for i = 1, #more, 2 do
    local kind, tid, n = string.match(more[i], '^(%a|)([^|]+)|?(%d*)$')
    local value = more[i + 1]
    if kind == TASK_FIELD.error and value == '' then
      value = read_run(call('HGET', H, HEADER.run))[RUN_ROW.error]
    end
    -- A large error stands in the run's record alone: those of many failures would add up.
    if kind == TASK_FIELD.error and #value > LIMIT.record then value = '' end
    if kind == TASK_FIELD.error or kind == TASK_FIELD.question then row(tid)[LEFT.result] = value
    elseif kind == TASK_FIELD.asked then row(tid)[LEFT.asked] = value .. row(tid)[LEFT.asked]
    elseif kind == TASK_FIELD.asked_again or kind == TASK_FIELD.failed then
      row(tid)[LEFT.asked] = row(tid)[LEFT.asked] .. value
    elseif kind == TASK_FIELD.answer then row(tid)[LEFT.answers][n + 1] = value end
  end
  return rows
end

-- What is to be kept of the superstep that is about to be dropped, as a text; checkpoints: CHECKPOINT
-- rows that are stored in its place, or nil; passed: its writes, where they are not stored, or nil.
local function take_left(ns, at_rest, checkpoints, passed)
  if not at_rest and not passed and is_large(ns) then
    local name = left_name(ns)
    call('RENAME', P .. KEY.writes .. ns, P .. KEY.left .. name)
    call('SADD', P .. KEY.wide, name)
    return ''
  end
  local writes = passed or at_rest and at_rest[KEY.writes]
    or call('HGETALL', P .. KEY.writes .. ns)
  local list = {}
  for _, row in ipairs(rows_of(writes, more_of(ns, at_rest, checkpoints), values_of(checkpoints))) do
    row[LEFT.answers] = text_of(row[LEFT.answers])
    for _, item in ipairs(row) do list[#list + 1] = item end
  end
  return #list > 0 and text_of(list)
end

-- What a caller wrote in place of tasks is their result; done: DONE rows.
local function add_left(ns, done)
  local name = left_name(ns)
  local text = call('HGET', C, FIELD.left .. name)
  local rows = text and text ~= '' and (list_at(text, 1)) or {}
  local width, at = #LEFT{tid = '', result = '', asked = '', answers = ''}, {}
  for i = 1, #rows, width do at[rows[i - 1 + LEFT.tid]] = i - 1 end
  for _, each in ipairs(done) do
    local tid, result = each[DONE.tid], blob(each[DONE.blob])
    local i = at[tid]
    if text == '' then call('HSET', P .. KEY.left .. name, tid, result)
    elseif i then
      -- A question that nobody will answer any more was asked all the same.
      if rows[i + LEFT.result] ~= '' then
        rows[i + LEFT.asked] = rows[i + LEFT.asked] .. text_of({'[]', rows[i + LEFT.result],
          encode(ANSWERED_BY{run = '', at = now(), by = ''})})
      end
      rows[i + LEFT.result] = result
    else
      for _, item in ipairs(LEFT{tid = tid, result = result, asked = '', answers = text_of({})}) do
        rows[#rows + 1] = item
      end
    end
  end
  if #rows > 0 then
    note_form(FORMAT.result)
    call('HSET', C, FIELD.left .. name, text_of(rows))
  end
end

local function forget_left(name)
  call('HDEL', C, FIELD.left .. name)
  if call('SREM', P .. KEY.wide, name) == 1 then call('UNLINK', P .. KEY.left .. name) end
end
