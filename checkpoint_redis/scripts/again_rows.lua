-- needs: lib.lua runs.lua task.lua event.lua again.lua
-- Which tasks of a frame's open superstep run again.
local WAITING = {[STATE.failed] = true, [STATE.interrupted] = true, [STATE.backing_off] = true,
  [STATE.parked] = true}

-- Whether a task is to run again; also one that left the graph with what the graph around did not take.
local function waits(ns, tid, task)
  if not task then return false end
  local left = task[TASK.state] == STATE.done and call('SISMEMBER', P .. KEY.active .. ns, tid) == 1
  if left then call('HDEL', P .. KEY.writes .. ns, tid) end
  return left or WAITING[task[TASK.state]]
end

-- rows: AGAIN
local function queue_rows(ns, rows)
  local run = current_run()
  local row = read_run(run)
  for _, each in ipairs(rows) do
    local tid = each[AGAIN.tid]
    local task = read_task(ns, tid)
    if waits(ns, tid, task) then
      local asks = task[TASK.state] == STATE.interrupted
      if asks then call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.answered, A.tok) end
      queue_again(ns, MOVE{mode = asks and MODE.resume or MODE.retry, run = run, round = A.tok,
        at = now(), by = row[RUN_ROW.by], first = 0, last = 0},
        -- In the round that its own frame came to a stop in, where it is told of nothing: who goes on with
        -- that frame would take the stop for one that somebody knows of.
        {tid = tid, late = not asks, answers = blobs(each[AGAIN.answers]), failed = failure_of(ns, tid),
          questions = asks and call('HGET', P .. KEY.questions .. ns, tid)})
    end
  end
end
