-- needs: lib.lua log.lua frozen.lua event.lua within.lua rising.lua over.lua caller_writes.lua new_tasks.lua staged.lua store_checkpoints.lua
-- Opening the superstep that replaces the one just dropped.

local function take_staged(ns, ep)
  local tasks, active, queued = staged_keys(ep)
  for from, to in pairs({[tasks] = KEY.tasks, [active] = KEY.active, [queued] = KEY.queued}) do
    call('RENAME', from, P .. to .. ns)
    call('PERSIST', P .. to .. ns)
  end
end

-- What the frame leaves with: nothing of it is open any more. -> hints
local function leave(ns, st, status, err)
  if ns ~= '' then call('HDEL', P .. KEY.inner .. (task_around(ns)), ns) end
  return come_to_end(ns, st, status, err)
end

-- s: {ep, checkpoints, tasks, first, reads, outcome, error, caller_writes, staged, event}; what follows
-- is s.outcome; event: what the frame shows of it -> {outcome, epoch, HINT...}
local function open_step(ns, s)
  call('HSET', frame_key(ns), FRAME.epoch, s.ep)
  call('HDEL', frame_key(ns), FRAME.advance, FRAME.advance_token, FRAME.advances,
    FRAME.visited, FRAME.waiting)
  -- What a saver noted of a checkpoint's tasks: a run that starts there runs all of them.
  if #s.checkpoints == 0 then
    drop_log(ns, call('HGET', frame_key(ns), FRAME.checkpoint) or '', LIMIT.slice)
  end
  store_checkpoints(ns, s.checkpoints)
  for i, row in ipairs(s.checkpoints) do
    event(EVENT.step, ns, STEP_EVENT{checkpoint = row[CHECKPOINT.id], step = row[CHECKPOINT.step],
      follows = s.outcome}, i == #s.checkpoints and blob(s.event))
  end
  if s.staged then take_staged(ns, s.ep) end
  place_caller_writes(ns, s)
  local up = {}
  if s.outcome == FOLLOWS.go then queue_tasks(ns, s.tasks, s.first, s.reads)
  elseif s.outcome == FOLLOWS.stop then
    up = leave(ns, STATUS.interrupted, RUN.interrupted)
    if ns == '' then freeze() end
  elseif s.outcome == FOLLOWS.fail then up = leave(ns, STATUS.error, RUN.error, blob(s.error))
  else up = leave(ns, STATUS.idle, RUN.success) end
  return {s.outcome, s.ep, up}
end

-- The answer to a commit that is repeated, because its reply was lost.
local function committed_before(ns, s)
  if call('HGET', frame_key(ns), FRAME.epoch) ~= s.ep then return {REPLY.gone} end
  return {REPLY.again, s.ep, ns == '' and {} or hint_around(ns)}
end
