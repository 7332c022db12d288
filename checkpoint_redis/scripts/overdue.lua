-- needs: lib.lua format.lua living.lua within.lua task.lua due.lua rising.lua
-- Finds frames whose hints are gone: queues are empty, and twice the same outbox did not shrink.
-- A part of the shard's outboxes is looked at.
-- KEYS[1] due key of the shard. ARGV[1] {cursor, empty, living}; empty: names of queues; living: as
-- for sweep -> PART of DUE_ROW
local empty = {}
for _, queue in ipairs(A.empty) do empty[queue] = true end

-- What is not taken though its hints were sent again, such as that of a graph which nobody serves,
-- is found later each time.
local function is_lost(ns, number)
  if needed(number) then return false end
  if not finds_worker(ns, number) then return false end
  if not is_current(ns) or not is_parked(ns) then return false end
  local own = call('HGET', H, HEADER.queue)
  local key, own_key = P .. KEY.queued .. ns, frame_key(ns)
  local any = call('SRANDMEMBER', key)
  local task = any and read_task(ns, any)
  if not task or not empty[queue_of(task, own)] then return false end
  local size, pause = call('SCARD', key), LIMIT.waiting_ms
  local seen = call('HGET', own_key, FRAME.waiting) or ''
  local before, at, paused = string.match(seen, '^(%d+) (%d+) (%d+)$')
  local same = before and size >= tonumber(before)
  if same and now() < tonumber(at) then return false end
  if same then pause = math.min(2 * paused, LIMIT.waiting_max_ms) end
  call('HSET', own_key, FRAME.waiting, string.format('%d %.0f %d', size, now() + pause, pause))
  return same
end

-- What cannot be read must not keep the others waiting: an error of this is one of its entry.
local function lost_epoch(x, ns)
  thread(x)
  local number, ep = unpack(header_and_frame(ns, {HEADER.form}, {FRAME.epoch}))
  return is_lost(ns, number) and ep
end

local out = {}
local found = call('ZSCAN', planned_in(DUE.outbox), A.cursor, 'COUNT', LIMIT.scanned)
for i = 1, #found[2], 2 do
  local x, ns = string.match(found[2][i], '^([^|]*)|([^|]*)|')
  local read, ep = pcall(lost_epoch, x, ns)
  if read and ep then
    out[#out + 1] = DUE_ROW{x = x, ns = ns, epoch = ep, kind = DUE.outbox, tid = '', hints = {}}
  end
end
return PART{cursor = found[1], part = out}
