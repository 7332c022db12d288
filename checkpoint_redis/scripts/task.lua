-- Records of tasks, what must be looked at and when, and the outbox.
-- A task record is the array [st, rnd, tok, att, lost, owner, queue, priority, reads, answers].
local ST, RND, TOK, ATT, LOST, OWNER, QUEUE, PRIO, READS, ANSWERS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local OUTBOX_MS, RECHECK_MS, RECHECK_MAX_MS = 2000, 15000, 300000

local function get(ns, tid)
  local text = call('HGET', P .. 's:' .. ns, 't|' .. tid)
  return text and decode(text)
end
local function put(ns, tid, f) call('HSET', P .. 's:' .. ns, 't|' .. tid, encode(f)) end

local function due(ns, tid, kind, at)
  call('ZADD', SHARD .. 'due', at, X .. '|' .. ns .. '|' .. tid .. '|' .. kind)
end
local function nodue(ns, tid, kinds)
  local members = {}
  for kind in string.gmatch(kinds, '.') do
    members[#members + 1] = X .. '|' .. ns .. '|' .. tid .. '|' .. kind
  end
  call('ZREM', SHARD .. 'due', unpack(members))
end
-- The outbox must be looked at by then, or earlier if that was planned already.
local function due_outbox(ns, at)
  local planned = call('ZSCORE', SHARD .. 'due', X .. '|' .. ns .. '||d')
  if not planned or tonumber(planned) > at then due(ns, '', 'd', at) end
end

local function queue_of(f, default) return f[QUEUE] == '' and default or f[QUEUE] end

-- Queued again: in the barrier and in the outbox. The caller sees to the due entry.
local function requeue(ns, tid, f)
  f[ST], f[TOK], f[OWNER] = 'Q', '', ''
  put(ns, tid, f)
  call('SADD', P .. 'a:' .. ns, tid)
  call('SADD', P .. 'q:' .. ns, tid)
  -- What is new in the outbox is looked for soon, however long the rest has waited.
  call('HDEL', H, ns .. '/dk', ns .. '/ov')
end

-- What to publish for a task.
local function hint(ns, tid, f)
  local h = call('HMGET', H, ns .. '/ep', 'queue')
  return {ns, h[1], tid, queue_of(f, h[2]), f[PRIO]}
end
