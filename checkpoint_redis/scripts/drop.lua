-- needs: lib.lua within.lua frames.lua slices.lua due.lua pack.lua restore.lua held.lua caller_writes.lua log.lua packet.lua left.lua
-- Drops the open superstep of a frame; what callers wrote into it is kept, and what its tasks sent
-- when it is `committed`: the next checkpoint refers to that.

-- Whether a script, which must stay short, may go through what tasks have begun and ask. Of a superstep
-- that is committed none has begun, or asks.
local function is_narrow(ns)
  return call('SCARD', P .. KEY.active .. ns) + call('HLEN', P .. KEY.questions .. ns)
    + call('HLEN', P .. KEY.withdrawn .. ns) <= LIMIT.dropped
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

-- `at_rest`: it, when it is packed. What is open inside its tasks stays.
-- Memory is freed first: when Redis is full, writes pass only after a deleting command.
local function close_step(ns, at_rest, committed)
  local written = open_caller_writes(ns, caller_write_count(ns), at_rest and at_rest[KEY.tasks])
  not_due_any_more(ns, at_rest, committed)
  local sent = not committed and (at_rest and at_rest[KEY.sent]
    or not set_sent_aside(ns) and call('HGETALL', P .. KEY.sent .. ns)) or {}
  call('UNLINK', P .. KEY.tasks .. ns, P .. KEY.writes .. ns, P .. KEY.questions .. ns,
    P .. KEY.sent .. ns, P .. KEY.active .. ns, P .. KEY.queued .. ns, P .. KEY.answers .. ns,
    P .. KEY.withdrawn .. ns, P .. KEY.failed .. ns)
  remove_sent(ns, sent)
  if at_rest then
    many('HSET', P .. KEY.inner .. ns, at_rest[KEY.inner])
    forget_packed(ns)
  end
  keep_dropped_caller_writes(ns, written, committed)
end

-- What its tasks left is kept beside the checkpoint; `committed`: CHECKPOINT rows that follow;
-- `passed`: id and result of its only task, where these are not stored.
-- Calls stand beside no checkpoint: what they returned is over with them.
local function drop_own(ns, committed, passed)
  -- A superstep that is committed was busy until now.
  local at_rest = not committed and packed(ns)
  local left = not is_calls(ns) and take_left(ns, at_rest, committed, passed)
  close_step(ns, at_rest, committed)
  if left then call('HSET', C, FIELD.left .. left_name(ns), left) end
end

-- What graphs inside its tasks have open is set aside: nobody holds it any more. -> a list of its name
local function set_inner_aside(ns)
  local key = P .. KEY.inner .. ns
  if call('EXISTS', key) == 0 then return {} end
  local name = ns .. '.' .. (call('HGET', frame_key(ns), FRAME.epoch) or '')
  call('RENAME', key, P .. KEY.aside .. name)
  call('SADD', P .. KEY.ended, name)
  return {name}
end

-- -> how much of what a script may that was, and the names of what is open further inside
local function drop_frame(ns)
  local cost = LIMIT.dropped_frame
  -- Its task has begun again by now, in the superstep that followed.
  if is_held(ns) then return cost, {} end
  cost = cost + drop_log(ns, call('HGET', frame_key(ns), FRAME.checkpoint) or '', LIMIT.slice)
  if is_open(ns) then
    cost = cost + math.min(size_of_step(ns), LIMIT.slice)
    drop_own(ns)
  end
  call('HDEL', frame_key(ns), FRAME.advance, FRAME.advance_token, FRAME.advances, FRAME.visited,
    FRAME.waiting, FRAME.error, FRAME.missed, FRAME.up)
  local below = set_inner_aside(ns)
  -- Nothing else is stored under its name.
  if is_calls(ns) then forget_frame(ns) end
  return cost, below
end

-- Of what was set aside under some names, as much as a script may; the rest in looks of sweeps.
-- -> whether that was all
local function drop_inner(names)
  local room, n = LIMIT.dropped_inside, 1
  while names[n] and room > 0 do
    local ns = call('HRANDFIELD', P .. KEY.aside .. names[n])
    if ns then
      call('HDEL', P .. KEY.aside .. names[n], ns)
      local cost, below = drop_frame(ns)
      room = room - cost
      names[#names + 1] = below[1]
    else
      call('SREM', P .. KEY.ended, names[n])
      n = n + 1
    end
  end
  for i = n, #names do due(string.match(names[i], '^[^.]*'), names[i], DUE.frames, now()) end
  return n > #names
end

local function drop_step(ns, committed, passed)
  drop_own(ns, committed, passed)
  drop_inner(set_inner_aside(ns))
end
