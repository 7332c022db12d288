-- needs: lib.lua format.lua slices.lua due.lua
-- Tasks that are queued for the first time.
-- rows: NEW_TASK, their blobs in ARGV from `first` on; into the keys of records, active and queued.
local function store_tasks(records, active, queued, rows, first)
  local fields, ids, fresh = {}, {}, {}
  for i, row in ipairs(rows) do
    local id, queue, priority, reads =
      row[NEW_TASK.id], row[NEW_TASK.queue], row[NEW_TASK.priority], row[NEW_TASK.reads]
    local kind = queue .. '|' .. priority .. '|' .. reads
    fresh[kind] = fresh[kind] or encode(TASK{state = STATE.queued, round = '', token = '',
      attempts = 0, lost = 0, owner = '', queue = queue, priority = priority, reads = reads,
      answers = 0, failures = 0, chunks = 0})
    local n = #fields
    fields[n + 1], fields[n + 2] = TASK_FIELD.record .. id, fresh[kind]
    fields[n + 3], fields[n + 4] = TASK_FIELD.blob .. id, ARGV[first + i - 1]
    ids[i] = id
  end
  many('HSET', records, fields)
  many('SADD', active, ids)
  many('SADD', queued, ids)
end

local function queue_tasks(ns, rows, first)
  note_form(math.max(FORMAT.task, FORMAT.row))
  store_tasks(P .. KEY.tasks .. ns, P .. KEY.active .. ns, P .. KEY.queued .. ns, rows, first)
  due_outbox(ns)
end
