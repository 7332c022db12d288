-- Tasks that fail for good.

-- What a retry runs again.
local function mark_failed(ns, tid, f, err)
  f[ST], f[OWNER] = 'X', ''
  put(ns, tid, f)
  call('HSET', P .. 's:' .. ns, 'e|' .. tid, err)
  call('SREM', P .. 'q:' .. ns, tid)
end

-- A final failure ends the run; nothing of the superstep is lost, a retry goes on with it.
local function fail_task(ns, tid, f, err)
  mark_failed(ns, tid, f, err)
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
