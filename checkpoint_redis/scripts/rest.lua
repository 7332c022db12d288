-- Putting a thread to rest: interrupted, failed or idle.
local STREAM_MS = 300000

local function index(old, new)
  if old and old ~= 'idle' then call('ZREM', SHARD .. 'ix:' .. old, X) end
  if new and new ~= 'idle' then call('ZADD', SHARD .. 'ix:' .. new, now(), X) end
end

-- A thread at rest has no superstep to dispatch and keeps its events for five minutes more.
local function put_to_rest(st)
  index(call('HGET', H, 'st'), st)
  call('HSET', H, 'st', st, 'upd', now())
  nodue('', '', 'da')
  call('HDEL', H, '/adv', '/advtok', '/advn', '/dk', '/ov')
  if st == 'idle' then call('HDEL', C, 'cfg') end
  call('PEXPIRE', P .. 'e', STREAM_MS)
  call('PEXPIRE', P .. 'eb', STREAM_MS)
end

-- Ends the run with `status` and puts the thread to rest as `st`.
local function finish_run(st, status, err)
  local h = call('HMGET', H, 'run', '/cp')
  local run, cp = h[1], h[2] or ''
  -- A thread that only a saver wrote to has had no run: an outcome of none is nobody's.
  if run and run ~= '' then
    set_outcome(run, status, cp)
    if err and err ~= '' then call('HSET', C, 'oe|' .. run, err) end
  end
  event('end', {run, status, cp}, err)
  put_to_rest(st)
end

-- Closed when no task is active: the emptiness of a set of ids and never a counter, which the
-- first doubled message would break. `tok` = '' leaves the advance to whoever claims it.
local function barrier(ns, f, tok, lease)
  if f.st ~= 'busy' or call('SCARD', P .. 'a:' .. ns) > 0 then return 'open' end
  if call('EXISTS', P .. 'u:' .. ns) == 1 then
    finish_run('interrupted', 'interrupted')
    pack_step(ns)
    freeze()
    return 'paused'
  end
  -- Somebody holds the advance: a second holder would commit the superstep again.
  if f.adv ~= '' then return 'open' end
  if tok == '' then
    call('HSET', H, ns .. '/adv', 'q')
  else
    call('HSET', H, ns .. '/adv', 'l', ns .. '/advtok', tok, ns .. '/advn', 1)
  end
  due(ns, '', 'a', now() + lease)
  return 'advance'
end
