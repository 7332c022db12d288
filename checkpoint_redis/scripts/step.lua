-- Opening and dropping supersteps, for the scripts that start, commit, cancel or update.

-- Memory is freed first: when Redis is full, writes pass only after a deleting command.
local function drop_step(ns, committed)
  local at_rest = packed(ns)
  local written = open_caller_writes(ns, caller_write_count(ns), at_rest and at_rest['s:'])
  local leased = call('SDIFF', P .. 'a:' .. ns, P .. 'q:' .. ns)
  local asking = at_rest and at_rest['u:'] or call('HGETALL', P .. 'u:' .. ns)
  call('UNLINK', P .. 's:' .. ns, P .. 'w:' .. ns, P .. 'u:' .. ns, P .. 'a:' .. ns, P .. 'q:' .. ns)
  for _, tid in ipairs(leased) do nodue(ns, tid, 'lb') end
  call('HDEL', C, 's|' .. ns)
  for i = 1, #asking, 2 do nodue(ns, asking[i], 'i') end
  nodue(ns, '', 'da')
  keep_dropped_caller_writes(ns, written, committed)
end

-- tasks: {tid, queue, priority, reads}, their blobs in ARGV from `first` on; into the keys s, a, q.
local function store_tasks(s, a, q, tasks, first)
  local fields, ids, fresh = {}, {}, {}
  for i, t in ipairs(tasks) do
    local kind = t[2] .. '|' .. t[3] .. '|' .. t[4]
    fresh[kind] = fresh[kind] or encode({'Q', '', '', 0, 0, '', t[2], t[3], t[4], 0})
    local n = #fields
    fields[n + 1], fields[n + 2] = 't|' .. t[1], fresh[kind]
    fields[n + 3], fields[n + 4] = 'i|' .. t[1], ARGV[first + i - 1]
    ids[i] = t[1]
  end
  many('HSET', s, fields)
  many('SADD', a, ids)
  many('SADD', q, ids)
end

local function queue_tasks(ns, tasks, first)
  store_tasks(P .. 's:' .. ns, P .. 'a:' .. ns, P .. 'q:' .. ns, tasks, first)
  due_outbox(ns, now() + OUTBOX_MS)
end

local function staged_keys(ep) return P .. 'S:' .. ep, P .. 'A:' .. ep, P .. 'Q:' .. ep end

local function is_staged(ep)
  local s, a, q = staged_keys(ep)
  return call('EXISTS', s, a, q) == 3
end

local function take_staged(ns, ep)
  local s, a, q = staged_keys(ep)
  for from, to in pairs({[s] = 's:', [a] = 'a:', [q] = 'q:'}) do
    call('RENAME', from, P .. to .. ns)
    call('PERSIST', P .. to .. ns)
  end
  due(ns, '', 'd', now() + OUTBOX_MS)
end

-- c: {id, blob, step, refs, {name, blob, name, blob...}}
local function store_checkpoint(ns, c)
  local fields = {'k|' .. ns .. '|' .. c[1], blob(c[2])}
  for i = 1, #c[5], 2 do
    fields[#fields + 1] = 'v|' .. ns .. '|' .. c[5][i]
    fields[#fields + 1] = blob(c[5][i + 1])
  end
  many('HSET', C, fields)
end

local function set_head(ns, c)
  call('HSET', C, 'f|' .. ns, c[4])
  call('HSET', H, ns .. '/cp', c[1], ns .. '/step', c[3])
end

local function store_checkpoints(ns, checkpoints)
  for _, c in ipairs(checkpoints) do store_checkpoint(ns, c) end
  if #checkpoints > 0 then set_head(ns, checkpoints[#checkpoints]) end
end

-- A thread that no run has started yet.
local function create()
  call('HSET', H, 'v', '1', 'id', blob(A.id), 'graph', A.graph, 'fp', A.fp, 'queue', A.queue,
    'st', 'idle', 'run', '', 'created', now())
end

-- What a saver noted of a checkpoint's tasks: a run that starts there runs all of them.
local function drop_log(ns, cp)
  local name, fields = 'p|' .. ns .. '|' .. cp, {}
  local count = tonumber(call('HGET', C, name) or 0)
  if count == 0 then return end
  for i = 0, count - 1 do fields[i + 1] = name .. '|' .. i end
  fields[#fields + 1] = name
  many('HDEL', C, fields)
end

-- The next superstep s replaces the one just dropped; what follows is s.outcome.
local function open_step(ns, s)
  call('HSET', H, ns .. '/ep', s.ep, ns .. '/stop', s.stop, 'upd', now())
  call('HDEL', H, ns .. '/adv', ns .. '/advtok', ns .. '/advn', ns .. '/caller_writes', ns .. '/dk',
    ns .. '/ov')
  if #s.checkpoints == 0 then drop_log(ns, call('HGET', H, ns .. '/cp') or '') end
  store_checkpoints(ns, s.checkpoints)
  for _, c in ipairs(s.checkpoints) do event('step', {ns, c[1], c[3]}) end
  if s.staged then take_staged(ns, s.ep) end
  place_caller_writes(ns, s)
  if s.outcome == 'go' then queue_tasks(ns, s.tasks, s.first)
  elseif s.outcome == 'stop' then
    finish_run('interrupted', 'interrupted')
    freeze()
  elseif s.outcome == 'end' then finish_run('idle', 'success')
  else finish_run('error', 'error', blob(s.error)) end
  return {s.outcome, s.ep}
end

-- cp: of a run that joins another, that one, which is under way however many join it.
local function note_run(run, status, cp, keep)
  set_outcome(run, status, cp)
  trim_outcomes(keep, status == 'joined' and cp)
end

-- Events older than the previous run are of no use to anybody. -> the id before this run's first
local function trim_events(previous)
  local e = P .. 'e'
  local last = call('XREVRANGE', e, '+', '-', 'COUNT', 1)[1]
  if not last then return previous or '0-0' end
  if previous then call('XTRIM', e, 'MINID', '~', previous) end
  return last[1]
end

-- Payloads too large for the stream go with their events: those numbered up to `previous`.
-- -> the number of the last one
local function trim_payloads(previous)
  local eb, gone = P .. 'eb', {}
  local n = call('HMGET', eb, 'n', 'first')
  if not n[1] then return 0 end
  for i = tonumber(n[2] or 1), math.min(previous, tonumber(n[1])) do gone[#gone + 1] = i end
  many('HDEL', eb, gone)
  call('HSET', eb, 'first', previous + 1)
  return n[1]
end

local function begin_run(run, kind, keep)
  local h = call('HMGET', H, 'st', 'ev', '/cp', 'evn')
  local from, payloads = trim_events(h[2]), trim_payloads(tonumber(h[4] or 0))
  note_run(run, 'pending', h[3] or '', keep)
  index(h[1], 'busy')
  call('HSET', H, 'st', 'busy', 'run', run, 'ev', from, 'evn', payloads, 'upd', now())
  call('PERSIST', P .. 'e')
  call('PERSIST', P .. 'eb')
  event('run', {run, kind})
  return from
end

-- The answer to a submit that is repeated, because its reply was lost; else nil.
local function repeated(run)
  -- Nobody could be told how such a run ended.
  if run == '' then error('a run needs an id') end
  local status, cp = outcome_of(run)
  if not status then return nil end
  local h = call('HMGET', H, '/ep', 'ev')
  return {'dup', h[1] or '', h[2] or '0-0', status, status == 'joined' and cp or run}
end
