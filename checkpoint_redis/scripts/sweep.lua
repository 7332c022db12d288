-- needs: lib.lua format.lua frozen.lua deadlines.lua living.lua within.lua held.lua task.lua due.lua requeue.lua pack.lua rising.lua failing.lua superseded.lua packet.lua drop.lua moves.lua
-- Acts on what is due, by reading the state again: a due entry is only a reason to look. Scores
-- are pushed here, so that any number of sweepers may run.
-- KEYS[1] due key of the shard. ARGV[1] {limit, max_lost, error, living, outboxes}; living: what is served,
-- with the format up to which it is read (false = unknown); outboxes: whether these are looked at too
-- -> SWEPT with DUE_ROW...
local out, told, unfinished = {}, 0, false

local function found(ns, kind, tid, given)
  local ep = call('HGET', frame_key(ns), FRAME.epoch) or ''
  told = told + #given
  out[#out + 1] = DUE_ROW{x = X, ns = ns, epoch = ep, kind = kind, tid = tid, hints = given}
end

-- Later each time that none of `size` was taken, so that what nobody serves does not fill its
-- queue with hints.
local function later(ns, kind, size)
  local seen = call('HGET', frame_key(ns), FRAME.visited) or ''
  local visits, before = string.match(seen, '^(%d+) (%d+)$')
  if not visits or size < tonumber(before) then visits = 0 end
  call('HSET', frame_key(ns), FRAME.visited, string.format('%d %d', visits + 1, size))
  due(ns, '', kind, now() + math.min(LIMIT.recheck_ms * 2 ^ visits, LIMIT.recheck_max_ms))
end

-- Queued tasks may have lost their messages.
local function look_outbox(ns)
  local key = P .. KEY.queued .. ns
  local tids = call('SRANDMEMBER', key, LIMIT.sample)
  if #tids == 0 then return not_due(ns, '', DUE.outbox) end
  later(ns, DUE.outbox, call('SCARD', key))
  found(ns, DUE.outbox, '', hints(ns, tids))
end

-- A reducer has vanished, or the hint to one.
local function look_advance(ns)
  local queue, advance, ep =
    unpack(header_and_frame(ns, {HEADER.queue}, {FRAME.advance, FRAME.epoch}))
  if not advance then return not_due(ns, '', DUE.advance) end
  call('HSET', frame_key(ns), FRAME.advance, ADVANCE.waiting, FRAME.advance_token, '')
  later(ns, DUE.advance, 1)
  found(ns, DUE.advance, TID.advance,
    {HINT{ns = ns, epoch = ep, tid = TID.advance, queue = queue, priority = 0}})
end

-- A lease ran out, or a back-off is over.
local function look_task(ns, tid, kind)
  not_due(ns, tid, kind)
  local leased = kind == DUE.lease
  local expected = leased and STATE.running or STATE.backing_off
  local task = read_task(ns, tid)
  -- An adoption, which could not begin it again by itself, left this.
  local begins_again = task and leased and task[TASK.state] == STATE.parked
  if not begins_again and (not task or task[TASK.state] ~= expected) then return end
  if leased and not begins_again then
    local failed, up = lose(ns, tid, task, A.max_lost, blob(A.error))
    if failed then return found(ns, kind, tid, up) end
    tell_superseded(ns, tid, task)
  end
  requeue(ns, tid, task)
  -- Behind many others its hint is long in its queue: a look at these would send most of them again.
  local is_long = call('SCARD', P .. KEY.queued .. ns) > LIMIT.sample
  due_outbox(ns, is_long and LIMIT.recheck_ms)
  found(ns, kind, tid, {hint(ns, tid, task)})
end

-- A question is over that nobody answered: it stays due until it has what takes an answer's place,
-- which the sweeper gives.
local function look_deadline(st, ns, tid, kind)
  local text = field_of(ns, KEY.questions, tid)
  local at = first_deadline(text and decode(text))
  if not at then return not_due(ns, tid, kind) end
  local over = now() - at
  if over < 0 then return due(ns, tid, kind, at) end
  -- A run that failed goes on when it is tried again. Who knows when: each time it is waited twice
  -- as long.
  if st == STATUS.error then
    local pause = math.min(math.max(over, LIMIT.recheck_ms), LIMIT.recheck_max_ms)
    return due(ns, tid, kind, now() + pause)
  end
  due(ns, tid, kind, now() + LIMIT.recheck_ms)
  found(ns, kind, tid, {})
end

-- What was put aside when a superstep was dropped: as much as one script may, which then looks at
-- nothing else.
local function look_unsent(ns, name, kind)
  unfinished = not remove_some_sent(ns, name)
  if unfinished then due(ns, name, kind, now()) else not_due(ns, name, kind) end
  told = LIMIT.hints
end

-- What frames had open in a superstep that is over.
local function look_frames(ns, name, kind)
  local waits = call('EXISTS', Z) == 1
  not_due(ns, name, kind)
  thaw()
  unfinished = not drop_inner({name})
  if waits then freeze() end
  told = LIMIT.hints
end

-- Who began with it, or helped, has gone: a slice of it, and the next one at once.
local function look_move(st, kind, takes)
  local move = move_under_way()
  if not move then return not_due('', '', kind) end
  local given = move_some(move, st)
  unfinished = move_under_way() ~= nil
  if unfinished then due('', '', kind, now()) end
  told = LIMIT.hints
  found('', kind, '', takes and given or {})
end

-- Whether what is due in a frame inside a task is acted on. What is over is due no more; what waits for
-- that task, which was told that the frame has gone up, or begins again, is looked at later.
local function is_acted_on(st, ns, tid, kind)
  if st ~= STATUS.busy and st ~= STATUS.error or not is_held(ns) then not_due(ns, tid, kind)
  elseif st == STATUS.busy and is_current(ns) and (tid ~= '' or is_parked(ns)) then return true
  else due(ns, tid, kind, now() + LIMIT.recheck_max_ms) end
  return false
end

-- -> true where a newer version has to look; it stays due for that one, behind all others
local function look(ns, tid, kind)
  local st, number = unpack(call('HMGET', H, HEADER.status, HEADER.form))
  if needed(number) then
    due(ns, tid, kind, now() + 1)
    return true
  end
  if kind == DUE.unsent then look_unsent(ns, tid, kind)
  elseif kind == DUE.frames then look_frames(ns, tid, kind)
  elseif ns ~= '' and not is_acted_on(st, ns, tid, kind) then return false
  elseif kind == DUE.move then look_move(st, kind, finds_worker('', number))
  elseif kind == DUE.deadline then look_deadline(st, ns, tid, kind)
  elseif st ~= STATUS.busy then not_due(ns, tid, kind)
  elseif tid == '' and not finds_worker(ns, number) then
    due(ns, '', kind, now() + LIMIT.unserved_max_ms)
  elseif kind == DUE.outbox then look_outbox(ns)
  elseif kind == DUE.advance then look_advance(ns)
  else look_task(ns, tid, kind) end
end

-- -> how many of `limit` entries, the first that are due, there were, and were passed over
local function look_at(key, limit)
  local entries, passed = call('ZRANGEBYSCORE', key, '-inf', now(), 'LIMIT', 0, limit), 0
  for _, each in ipairs(entries) do
    -- As much as one reply may hold: the rest stays due.
    if told >= LIMIT.hints then return limit, 0 end
    local x, ns, tid, kind = string.match(each, '^([^|]*)|([^|]*)|([^|]*)|(.*)$')
    if not x or planned_in(kind) ~= key then call('ZREM', key, each)
    else
      thread(x)
      local read, newer = pcall(look, ns, tid, kind)
      -- A record that cannot be read must not keep the other threads of the shard waiting.
      if not read then
        due(ns, tid, kind, now() + LIMIT.recheck_max_ms)
        found(ns, DUE.unreadable, tid, {})
      elseif newer then passed = passed + 1 end
    end
  end
  return #entries, passed
end

-- In place of those that were passed over others are looked at. -> whether more may be due
local function look_through(key)
  local limit, looked, more = A.limit, 0, false
  repeat
    local count, passed = look_at(key, limit)
    more = count == limit
    limit, looked = passed, looked + passed
  until limit == 0 or looked >= LIMIT.passed
  return more
end

-- Outboxes first: what is queued again here has its hint from here.
local outboxes = A.outboxes and look_through(planned_in(DUE.outbox))
local tasks = look_through(KEYS[1])
return SWEPT{more = (outboxes or tasks or unfinished) and 1 or 0,
  outboxes = call('EXISTS', planned_in(DUE.outbox)), due = out}
