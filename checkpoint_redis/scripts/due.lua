-- needs: lib.lua
-- What must be looked at, and when: members <x>|<ns>|<tid>|<kind> of the shard's due key; those of
-- outboxes stand apart, so that nobody who looks at all of them meets leases and deadlines.
local function member(ns, tid, kind) return X .. '|' .. ns .. '|' .. tid .. '|' .. kind end

local function planned_in(kind)
  return SHARD .. (kind == DUE.outbox and SHARD_KEY.outboxes or SHARD_KEY.due)
end

local function due(ns, tid, kind, at) call('ZADD', planned_in(kind), at, member(ns, tid, kind)) end

-- The kinds are of one key.
local function not_due(ns, tid, ...)
  local members = {}
  for i, kind in ipairs({...}) do members[i] = member(ns, tid, kind) end
  call('ZREM', planned_in(...), unpack(members))
end

-- The outbox must be looked at soon, or earlier if that was planned already. in_ms: nil = soon.
local function due_outbox(ns, in_ms)
  local at = now() + (in_ms or LIMIT.outbox_ms)
  local planned = call('ZSCORE', planned_in(DUE.outbox), member(ns, '', DUE.outbox))
  if not planned or tonumber(planned) > at then due(ns, '', DUE.outbox, at) end
end

-- A worker could not take what it was told of: another one may, when it is told. Later each time that
-- it was told since, which a version that is too old for the thread may read and not count.
local function due_again(ns, kind)
  local member, key = member(ns, '', kind), planned_in(kind)
  local visits = string.match(call('HGET', frame_key(ns), FRAME.visited) or '', '^%d+') or 0
  local at = now() + math.min(LIMIT.unserved_ms * 2 ^ visits, LIMIT.unserved_max_ms)
  local planned = call('ZSCORE', key, member)
  if planned and tonumber(planned) > at then call('ZADD', key, at, member) end
end
