-- needs: lib.lua due.lua pack.lua caller_writes.lua log.lua packet.lua left.lua
-- Drops the open superstep of a frame; what callers wrote into it is kept, and what its tasks sent
-- when it is `committed`: the next checkpoint refers to that.

-- Whether a script, which must stay short, may go through what tasks have begun, ask, and have open
-- in the graphs that they call. Of a superstep that is committed none has begun, or asks.
local function is_narrow(ns, committed)
  local inner = call('HLEN', P .. KEY.inner .. ns)
  local going = committed and 0 or call('SCARD', P .. KEY.active .. ns)
    + call('HLEN', P .. KEY.questions .. ns) + call('HLEN', P .. KEY.withdrawn .. ns)
  return going + inner <= LIMIT.dropped, inner
end

-- What of its tasks is due is nothing any more. Of a wide superstep it is left to sweeps, which find
-- that out by themselves.
local function tasks_not_due(ns, at_rest)
  for _, tid in ipairs(call('SDIFF', P .. KEY.active .. ns, P .. KEY.queued .. ns)) do
    not_due(ns, tid, DUE.lease, DUE.back_off)
  end
  local asking = at_rest and at_rest[KEY.questions] or call('HGETALL', P .. KEY.questions .. ns)
  for i = 1, #asking, 2 do not_due(ns, asking[i], DUE.deadline) end
  for _, tid in ipairs(call('HKEYS', P .. KEY.withdrawn .. ns)) do not_due(ns, tid, DUE.deadline) end
end

local function not_due_any_more(ns, at_rest, committed)
  if not committed and is_narrow(ns) then tasks_not_due(ns, at_rest) end
  not_due(ns, '', DUE.advance, DUE.move)
  not_due(ns, '', DUE.outbox)
end

-- `at_rest`: it, when it is packed.
-- Memory is freed first: when Redis is full, writes pass only after a deleting command.
local function close_step(ns, at_rest, committed)
  local written = open_caller_writes(ns, caller_write_count(ns), at_rest and at_rest[KEY.tasks])
  not_due_any_more(ns, at_rest, committed)
  local sent = not committed and (at_rest and at_rest[KEY.sent]
    or not set_sent_aside(ns) and call('HGETALL', P .. KEY.sent .. ns)) or {}
  call('UNLINK', P .. KEY.tasks .. ns, P .. KEY.writes .. ns, P .. KEY.questions .. ns,
    P .. KEY.sent .. ns, P .. KEY.active .. ns, P .. KEY.queued .. ns, P .. KEY.inner .. ns,
    P .. KEY.answers .. ns, P .. KEY.withdrawn .. ns, P .. KEY.failed .. ns)
  remove_sent(ns, sent)
  if at_rest then forget_packed(ns) end
  keep_dropped_caller_writes(ns, written, committed)
end

-- What graphs called in its tasks have open goes with it, as much as a script may touch; the rest stays
-- with their checkpoints, where nobody looks for it but the same task.
local function drop_inner(ns, at_rest, committed)
  local narrow, count = is_narrow(ns, committed)
  local inner = at_rest and at_rest[KEY.inner]
    or narrow and count > 0 and call('HGETALL', P .. KEY.inner .. ns) or {}
  local most = LIMIT.slice
  for i = 1, #inner, 2 do
    local head = call('HGET', frame_key(inner[i]), FRAME.checkpoint) or ''
    most = most - drop_log(inner[i], head, most)
  end
end

-- What its tasks left is kept beside the checkpoint; `committed`: CHECKPOINT rows that follow;
-- `passed`: id and result of its only task, where these are not stored.
local function drop_step(ns, committed, passed)
  -- A superstep that is committed was busy until now.
  local at_rest = not committed and packed(ns)
  local left = take_left(ns, at_rest, committed, passed)
  drop_inner(ns, at_rest, committed)
  close_step(ns, at_rest, committed)
  if left then call('HSET', C, FIELD.left .. left_name(ns), left) end
end
