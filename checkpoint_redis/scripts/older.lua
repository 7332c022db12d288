-- needs: lib.lua format.lua frozen.lua task.lua left.lua checkpoints.lua
-- A superstep of an older checkpoint of the root that is opened again, with what is kept of it; older: OLDER.

-- The checkpoint is the head from now on: what follows it goes on from there.
local function stand_at(older)
  local head = older[OLDER.head]
  set_head('', head[NEW_HEAD.checkpoint], head[NEW_HEAD.step], head[NEW_HEAD.refs])
end

-- Questions that were open when the superstep was over count as asked now.
local function asked_now(iids)
  local rows = {}
  for i, iid in ipairs(iids) do
    rows[i] = QUESTION{iid = iid, deadline = 0, asked = now(), within = -1, place = '', late = 0,
      schema = ''}
  end
  return encode(rows)
end

-- What its tasks had asked before is asked, as it was; what is answered now by `run` as well.
local function remember_asked(older, run, by)
  local text = cget(FIELD.left .. left_name(''))
  local rows = text and text ~= '' and (list_at(text, 1)) or {}
  local width, now_answered = #LEFT{tid = '', result = '', asked = '', answers = ''}, {}
  for _, each in ipairs(older[OLDER.answered]) do
    now_answered[each[ASKED_BEFORE.tid]] = each[ASKED_BEFORE.iids]
  end
  for i = 0, #rows - width, width do
    local tid, asked = rows[i + LEFT.tid], rows[i + LEFT.asked]
    if now_answered[tid] then
      note_form(FORMAT.question)
      asked = asked .. text_of({asked_now(now_answered[tid]), rows[i + LEFT.result],
        encode(ANSWERED_BY{run = run, at = now(), by = by})})
    end
    if asked ~= '' and read_task('', tid) then
      call('HSET', P .. KEY.tasks, TASK_FIELD.asked .. tid, asked)
    end
  end
end

-- What does not run again is done.
local function take_done(older)
  if #older[OLDER.done] > 0 then note_form(FORMAT.result) end
  for _, each in ipairs(older[OLDER.done]) do
    local tid, bytes = each[DONE.tid], blob(each[DONE.blob])
    local task = read_task('', tid)
    task[TASK.state] = STATE.done
    write_task('', tid, task)
    call('HSET', P .. KEY.writes, tid, bytes)
    call('HINCRBY', P .. KEY.tasks, TASK_FIELD.writes_size, #bytes)
    call('SREM', P .. KEY.active, tid)
    call('SREM', P .. KEY.queued, tid)
  end
end
