-- What every script shares. KEYS[1] is the header key of a thread or the due key of a shard; all
-- other keys are built from it, under the same hash tag. ARGV[1] is one JSON object; it names
-- blobs by their position in ARGV (0 = none).
local call, encode, decode = redis.call, cjson.encode, cjson.decode
local A = decode(ARGV[1])
local clock = call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)
local SHARD = string.match(KEYS[1], '^(.-{%d%d}:)')
-- The thread that is worked on: its hash, key prefix, header and checkpoint keys. What is longer
-- than 64 bytes stands in C, so that H stays in Redis' compact form.
local X, P, H, C

-- A task record is the array [st, rnd, tok, att, lost, owner, queue, priority, reads, answers].
local ST, RND, TOK, ATT, LOST, OWNER, QUEUE, PRIO, READS, ANSWERS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local BUSY = {busy = true}
local BUSY_OR_ERROR = {busy = true, error = true}
local OUTBOX_MS, RECHECK_MS, RECHECK_MAX_MS, STREAM_MS = 2000, 15000, 300000, 300000
local MAX_EVENTS, INLINE_EVENT, INLINE_WRITES = 100000, 4096, 1048576

local function thread(x)
  X = x
  P = SHARD .. x .. ':'
  H = P .. 'h'
  C = P .. 'c'
end
local own = string.sub(KEYS[1], #SHARD + 1)
if own ~= 'due' then thread(string.sub(own, 1, -3)) end

local function blob(position) return ARGV[position] or '' end

-- unpack fails near 8,000 items, so long lists go in slices.
local function many(command, key, list)
  for i = 1, #list, 1000 do call(command, key, unpack(list, i, math.min(i + 999, #list))) end
end

-- The frame when `ep` is its open superstep and the thread may be written to, else nil. Without
-- it a worker of a committed, cancelled or rolled back superstep would still write (flaw F3).
local function fence(ns, ep, allowed)
  local f = call('HMGET', H, 'st', ns .. '/ep', ns .. '/adv', ns .. '/advtok')
  if not f[1] or not allowed[f[1]] or f[2] ~= ep then return nil end
  return {st = f[1], adv = f[3] or '', advtok = f[4] or ''}
end

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
end

local function event(kind, payload, bytes)
  local e, field = P .. 'e', 'b'
  if bytes and #bytes > INLINE_EVENT then
    field = 'r'
    local n = call('HINCRBY', P .. 'eb', 'n', 1)
    call('HSET', P .. 'eb', n, bytes)
    bytes = n
  end
  if bytes and bytes ~= '' then
    call('XADD', e, 'MAXLEN', '~', MAX_EVENTS, '*', 'k', kind, 'p', encode(payload), field, bytes)
  else
    call('XADD', e, 'MAXLEN', '~', MAX_EVENTS, '*', 'k', kind, 'p', encode(payload))
  end
end

-- Every open frame of the thread, the root ('') first.
local function frames()
  local list = {''}
  for ns in string.gmatch(call('HGET', H, 'frames') or '', '%S+') do list[#list + 1] = ns end
  return list
end

local function index(old, new)
  if old and old ~= 'idle' then call('ZREM', SHARD .. 'ix:' .. old, X) end
  if new and new ~= 'idle' then call('ZADD', SHARD .. 'ix:' .. new, NOW, X) end
end

-- A thread at rest has no superstep to dispatch and keeps its events for five minutes more.
local function sleep(st)
  index(call('HGET', H, 'st'), st)
  call('HSET', H, 'st', st, 'upd', NOW)
  for _, ns in ipairs(frames()) do
    nodue(ns, '', 'da')
    call('HDEL', H, ns .. '/adv', ns .. '/advtok', ns .. '/advn', ns .. '/dk')
  end
  if st == 'idle' then call('HDEL', C, 'cfg') end
  call('PEXPIRE', P .. 'e', STREAM_MS)
  call('PEXPIRE', P .. 'eb', STREAM_MS)
end

-- Ends the run with `status` and puts the thread to rest as `st`.
local function finish_run(st, status, err)
  local h = call('HMGET', H, 'run', '/cp')
  local run, cp = h[1], h[2] or ''
  call('HSET', H, 'o|' .. run, encode({status, cp}))
  if err and err ~= '' then call('HSET', C, 'oe|' .. run, err) end
  event('end', {run, status, cp}, err)
  sleep(st)
end

-- Closed when no task is active: the emptiness of a set of ids and never a counter, which the
-- first doubled message would break. `tok` = '' leaves the advance to whoever claims it.
local function barrier(ns, f, tok, lease)
  if f.st ~= 'busy' or call('SCARD', P .. 'a:' .. ns) > 0 then return 'open' end
  if call('EXISTS', P .. 'u:' .. ns) == 1 then
    finish_run('interrupted', 'interrupted')
    return 'paused'
  end
  -- Somebody holds the advance: a second holder would commit the superstep again.
  if f.adv ~= '' then return 'open' end
  if tok == '' then
    call('HSET', H, ns .. '/adv', 'q')
  else
    call('HSET', H, ns .. '/adv', 'l', ns .. '/advtok', tok, ns .. '/advn', 1)
  end
  due(ns, '', 'a', NOW + lease)
  return 'advance'
end

-- The channel blobs named by `refs`, as name, blob, name, blob...; false once `room` is used up.
local function channels(ns, refs, room)
  local out = {}
  for _, ref in ipairs(refs) do
    local field, value = 'v|' .. ns .. '|' .. ref, false
    local size = call('HSTRLEN', C, field)
    if size <= room then
      room = room - size
      value = call('HGET', C, field)
    end
    out[#out + 1] = ref
    out[#out + 1] = value
  end
  return out
end

local function numbered(key, prefix, count)
  local fields = {}
  for n = 0, count - 1 do fields[#fields + 1] = prefix .. n end
  local out = {}
  for i = 1, count, 1000 do
    local slice = call('HMGET', key, unpack(fields, i, math.min(i + 999, count)))
    for _, value in ipairs(slice) do out[#out + 1] = value end
  end
  return out
end

-- The header with the fields of one frame, or nil.
local function header_of(ns)
  local h = call('HMGET', H, 'id', 'graph', 'fp', 'queue', 'st', 'run', 'modes', 'passed',
    'created', 'upd', ns .. '/ep', ns .. '/cp', ns .. '/step', ns .. '/stop', ns .. '/adv',
    ns .. '/nulls', 'ev')
  h[18] = call('HGET', C, 'cfg')
  return h[1] and h
end

-- What a job has to know of its frame: head, null-task records, checkpoint, channels.
local function context(ns, reads, room)
  local h = call('HMGET', H, 'graph', 'fp', 'run', ns .. '/cp', ns .. '/step', ns .. '/stop', 'modes',
    'id', 'queue', 'passed', ns .. '/nulls')
  h[12] = call('SCARD', P .. 'a:' .. ns)
  local nulls = numbered(P .. 's:' .. ns, 'z|', tonumber(h[11] or 0))
  local c = call('HMGET', C, 'cfg', 'f|' .. ns, 'k|' .. ns .. '|' .. (h[4] or ''))
  if not reads then return {h, c[1], nulls, false, {}} end
  return {h, c[1], nulls, c[3], channels(ns, decode(c[2] or '[]'), room)}
end

-- The context and all writes; false in place of more than 1 MB of them (they are read in pieces).
local function advance(ns, room)
  local size = tonumber(call('HGET', P .. 's:' .. ns, 'wb') or 0)
  local writes = size <= INLINE_WRITES and call('HGETALL', P .. 'w:' .. ns)
  return {'advance', context(ns, true, room), writes}
end

-- Whether this worker has the graph's code: an unserved task stays queued, unharmed.
local function served(names)
  local h = call('HMGET', H, 'graph', 'fp')
  for _, name in ipairs(names) do
    if name == h[1] .. '@' .. h[2] then return true end
    local any = h[2] == '' and string.match(name, '^(.*)@[^@]*$') == h[1]
    if any then return true end
  end
  return false, {'unserved', h[1], h[2]}
end

-- A final failure ends the run; nothing of the superstep is lost, a retry goes on with it.
local function fail_task(ns, tid, f, err)
  f[ST] = 'X'
  put(ns, tid, f)
  call('HSET', P .. 's:' .. ns, 'e|' .. tid, err)
  call('SREM', P .. 'q:' .. ns, tid)
  event('fail', {ns, tid}, err)
  finish_run('error', 'error', err)
end

-- Counts a vanished attempt; true when it was one too many, and ended the run: a task that kills
-- its workers must not kill all of them.
local function lose(ns, tid, f, max, err)
  f[LOST] = f[LOST] + 1
  if f[LOST] <= max then return false end
  fail_task(ns, tid, f, err)
  return true
end

-- What to publish for a task.
local function hint(ns, tid, f)
  local h = call('HMGET', H, ns .. '/ep', 'queue')
  return {ns, h[1], tid, queue_of(f, h[2]), f[PRIO]}
end
