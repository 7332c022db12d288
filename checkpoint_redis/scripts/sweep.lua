-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua failing.lua
-- Acts on what is due, by reading the state again: a due entry is only a reason to look. Scores
-- are pushed here, so that any number of sweepers may run.
-- KEYS[1] due key of the shard. ARGV[1] {limit, max_lost, error}
-- -> {x, ns, ep, kind, tid, hints}...
local SAMPLE = 100
local out = {}

local function found(ns, kind, tid, hints)
  out[#out + 1] = {X, ns, call('HGET', H, ns .. '/ep') or '', kind, tid, hints}
end

-- Later each time that none of `size` was taken, so that what nobody serves does not fill its
-- queue with hints.
local function later(ns, kind, size)
  local field = ns .. '/dk'
  local visits, before = string.match(call('HGET', H, field) or '', '^(%d+) (%d+)$')
  if not visits or size < tonumber(before) then visits = 0 end
  call('HSET', H, field, string.format('%d %d', visits + 1, size))
  due(ns, '', kind, now() + math.min(RECHECK_MS * 2 ^ visits, RECHECK_MAX_MS))
end

-- Queued tasks may have lost their messages.
local function look_outbox(ns)
  local q = P .. 'q:' .. ns
  local tids = call('SRANDMEMBER', q, SAMPLE)
  if #tids == 0 then return nodue(ns, '', 'd') end
  later(ns, 'd', call('SCARD', q))
  local hints = {}
  for i, tid in ipairs(tids) do hints[i] = hint(ns, tid, get(ns, tid)) end
  found(ns, 'd', '', hints)
end

-- A reducer has vanished, or the hint to one.
local function look_advance(ns)
  local adv = call('HGET', H, ns .. '/adv')
  if adv ~= 'q' and adv ~= 'l' then return nodue(ns, '', 'a') end
  call('HSET', H, ns .. '/adv', 'q', ns .. '/advtok', '')
  later(ns, 'a', 1)
  found(ns, 'a', '@', {{ns, call('HGET', H, ns .. '/ep'), '@', call('HGET', H, 'queue'), 0}})
end

-- A lease ran out, or a back-off is over.
local function look_task(ns, tid, kind)
  nodue(ns, tid, kind)
  local f = get(ns, tid)
  if not f or f[ST] ~= (kind == 'l' and 'R' or 'B') then return end
  if kind == 'l' and lose(ns, tid, f, A.max_lost, blob(A.error)) then return end
  requeue(ns, tid, f)
  due_outbox(ns, now() + OUTBOX_MS)
  found(ns, kind, tid, {hint(ns, tid, f)})
end

local function look(ns, tid, kind)
  local st = call('HGET', H, 'st')
  if kind == 'i' then
    nodue(ns, tid, kind)
    for _, asking in ipairs(fields_of(ns, 'u:')) do
      if asking == tid then found(ns, kind, tid, {}) end
    end
  elseif st ~= 'busy' then nodue(ns, tid, kind)
  elseif kind == 'd' then look_outbox(ns)
  elseif kind == 'a' then look_advance(ns)
  elseif kind == 'l' or kind == 'b' then look_task(ns, tid, kind)
  else nodue(ns, tid, kind) end
end

for _, member in ipairs(call('ZRANGEBYSCORE', KEYS[1], '-inf', now(), 'LIMIT', 0, A.limit)) do
  local x, ns, tid, kind = string.match(member, '^([^|]*)|([^|]*)|([^|]*)|(.*)$')
  if not x then call('ZREM', KEYS[1], member)
  else
    thread(x)
    -- A record that cannot be read must not keep the other threads of the shard waiting.
    if not pcall(look, ns, tid, kind) then
      due(ns, tid, kind, now() + RECHECK_MAX_MS)
      found(ns, 'unreadable', tid, {})
    end
  end
end
return out
