-- needs: lib.lua format.lua task.lua due.lua frames.lua restore.lua drop.lua new_tasks.lua open.lua
-- The frame of the functions that a task calls: its superstep is these calls, and goes on for as long as
-- that of the task does. It has no checkpoint, and is never reduced.

-- Makes room for the calls of a task: what is open of another superstep around is dropped.
local function begin_calls(ns, row, ep)
  if is_open(ns) then drop_step(ns) end
  list_frame(ns, row)
  call('HSET', frame_key(ns), FRAME.epoch, ep, FRAME.kind, KIND.calls)
end

-- Whose calls they are; a frame that lasts from attempt to attempt is the same task's.
local function belong(ns, parent, tid, around)
  call('HSET', P .. KEY.inner .. parent, ns, tid)
  call('HSET', frame_key(ns), FRAME.parent, parent, FRAME.task, tid, FRAME.around, around)
end

-- calls: {ep, tasks, first, reads, staged}; those that are there already are left as they are, so that a
-- late attempt begins none twice.
local function queue_calls(ns, calls)
  if calls.staged then
    take_staged(ns, calls.ep)
    return due_outbox(ns)
  end
  local fresh, from = {}, 1
  for i = 1, #calls.tasks + 1 do
    local row = calls.tasks[i]
    if row and call('HEXISTS', P .. KEY.tasks .. ns, TASK_FIELD.record .. row[NEW_TASK.id]) == 0 then
      fresh[#fresh + 1] = row
    else
      if #fresh > 0 then queue_tasks(ns, fresh, calls.first + from - 1, calls.reads) end
      fresh, from = {}, i + 1
    end
  end
end

-- rows: DONE. What was called in the attempt's own process is a task that was never queued.
local function keep_done(ns, rows)
  note_form(math.max(FORMAT.row, FORMAT.result))
  for _, row in ipairs(rows) do
    local tid, bytes = row[DONE.tid], blob(row[DONE.blob])
    if not read_task(ns, tid) then
      write_task(ns, tid, TASK{state = STATE.done, round = '', token = '', attempts = 0, lost = 0,
        owner = '', queue = '', priority = 0, reads = '', answers = 0, failures = 0, chunks = 0,
        limit = 0, batch = '', packet = '', risen = '', inner = ''})
      call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.blob .. tid, '')
      call('HSET', P .. KEY.writes .. ns, tid, bytes)
      call('HINCRBY', P .. KEY.tasks .. ns, TASK_FIELD.writes_size, #bytes)
    end
  end
end
