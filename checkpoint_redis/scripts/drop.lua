-- needs: lib.lua due.lua pack.lua caller_writes.lua log.lua packet.lua left.lua
-- Drops the open superstep of a frame; what callers wrote into it is kept, and what its tasks sent
-- when it is `committed`: the next checkpoint refers to that.

-- What of its tasks is due is nothing any more. Of a wide superstep it is left to sweeps, which find
-- that out by themselves: a script must stay short.
local function not_due_any_more(ns, at_rest)
  local active = P .. KEY.active .. ns
  if call('SCARD', active) <= LIMIT.slice then
    for _, tid in ipairs(call('SDIFF', active, P .. KEY.queued .. ns)) do
      not_due(ns, tid, DUE.lease, DUE.back_off)
    end
  end
  local questions = P .. KEY.questions .. ns
  local asking = at_rest and at_rest[KEY.questions]
    or call('HLEN', questions) <= LIMIT.slice and call('HGETALL', questions) or {}
  for i = 1, #asking, 2 do not_due(ns, asking[i], DUE.deadline) end
  not_due(ns, '', DUE.advance)
  not_due(ns, '', DUE.outbox)
end

-- `at_rest`: it, when it is packed.
-- Memory is freed first: when Redis is full, writes pass only after a deleting command.
local function close_step(ns, at_rest, committed)
  local written = open_caller_writes(ns, caller_write_count(ns), at_rest and at_rest[KEY.tasks])
  not_due_any_more(ns, at_rest)
  local sent = at_rest and at_rest[KEY.sent] or call('HGETALL', P .. KEY.sent .. ns)
  call('UNLINK', P .. KEY.tasks .. ns, P .. KEY.writes .. ns, P .. KEY.questions .. ns,
    P .. KEY.sent .. ns, P .. KEY.active .. ns, P .. KEY.queued .. ns, P .. KEY.inner .. ns)
  if not committed then remove_sent(ns, sent) end
  call('HDEL', C, FIELD.packed .. ns)
  keep_dropped_caller_writes(ns, written, committed)
end

-- What its tasks left is kept beside the checkpoint; `committed`: CHECKPOINT rows that follow.
-- What graphs called in its tasks have open goes with it; of a wide superstep it stays with their
-- checkpoints, where nobody looks for it but the same task.
local function drop_step(ns, committed)
  local at_rest, key = packed(ns), P .. KEY.inner .. ns
  local inner = at_rest and at_rest[KEY.inner]
    or call('HLEN', key) <= LIMIT.slice and call('HGETALL', key) or {}
  local left = take_left(ns, at_rest, committed)
  for i = 1, #inner, 2 do
    drop_log(inner[i], call('HGET', frame_key(inner[i]), FRAME.checkpoint) or '')
  end
  close_step(ns, at_rest, committed)
  if left then call('HSET', C, FIELD.left .. left_name(ns), left) end
end
