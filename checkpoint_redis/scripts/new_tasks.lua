-- needs: lib.lua format.lua slices.lua due.lua
-- Tasks that are queued for the first time.
-- Tasks of one kind have the same record but for the names of their packet and of the frame inside: it
-- is made once for all.
local PLACE, WRITTEN = '\1', '\\u0001'

-- What stands before the places in a record, between them, and behind them.
local function around(record)
  local first = string.find(record, WRITTEN, 1, true)
  local second = string.find(record, WRITTEN, first + #WRITTEN, true)
  return {string.sub(record, 1, first - 1), string.sub(record, first + #WRITTEN, second - 1),
    string.sub(record, second + #WRITTEN)}
end

-- Those that a task has before it begins, and that it was answered: what it leaves is kept whole.
local function add_answers(fields, id, answers)
  if #answers == 0 then return end
  note_form(FORMAT.answer)
  fields[#fields + 1], fields[#fields + 2] = TASK_FIELD.answered, id
  for number, at in ipairs(answers) do
    fields[#fields + 1] = TASK_FIELD.answer .. id .. '|' .. number - 1
    fields[#fields + 1] = blob(at)
  end
end

-- rows: NEW_TASK, their blobs in ARGV from `first` on, and what they read by its digest; into the
-- keys of records, active and queued.
local function store_tasks(records, active, queued, rows, first, reads)
  local fields, ids, fresh = {}, {}, {}
  for digest, names in pairs(reads) do
    fields[#fields + 1], fields[#fields + 2] = TASK_FIELD.reads .. digest, encode(names)
  end
  for i, row in ipairs(rows) do
    local id, queue, priority, read =
      row[NEW_TASK.id], row[NEW_TASK.queue], row[NEW_TASK.priority], row[NEW_TASK.reads]
    local limit, batch, answers = row[NEW_TASK.limit], row[NEW_TASK.batch], row[NEW_TASK.answers]
    local kind = table.concat({queue, priority, read, limit, batch, #answers}, '|')
    fresh[kind] = fresh[kind] or around(encode(TASK{state = STATE.queued, round = '', token = '',
      attempts = 0, lost = 0, owner = '', queue = queue, priority = priority, reads = read,
      answers = #answers, failures = 0, chunks = 0, limit = limit, batch = batch, packet = PLACE, risen = '',
      inner = PLACE}))
    local n = #fields
    local before, between, behind = unpack(fresh[kind])
    local record = before .. row[NEW_TASK.packet] .. between .. row[NEW_TASK.inner] .. behind
    fields[n + 1], fields[n + 2] = TASK_FIELD.record .. id, record
    fields[n + 3], fields[n + 4] = TASK_FIELD.blob .. id, ARGV[first + i - 1]
    add_answers(fields, id, answers)
    ids[i] = id
  end
  many('HSET', records, fields)
  many('SADD', active, ids)
  many('SADD', queued, ids)
end

local function queue_tasks(ns, rows, first, reads)
  note_form(math.max(FORMAT.task, FORMAT.row))
  store_tasks(P .. KEY.tasks .. ns, P .. KEY.active .. ns, P .. KEY.queued .. ns, rows, first,
    reads)
  due_outbox(ns)
end
