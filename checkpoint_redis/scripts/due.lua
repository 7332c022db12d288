-- needs: lib.lua
-- What must be looked at, and when: members <x>|<ns>|<tid>|<kind> of the shard's due key.
local function member(ns, tid, kind) return X .. '|' .. ns .. '|' .. tid .. '|' .. kind end

local function due(ns, tid, kind, at)
  call('ZADD', SHARD .. SHARD_KEY.due, at, member(ns, tid, kind))
end

local function not_due(ns, tid, ...)
  local members = {}
  for i, kind in ipairs({...}) do members[i] = member(ns, tid, kind) end
  call('ZREM', SHARD .. SHARD_KEY.due, unpack(members))
end

-- The outbox must be looked at soon, or earlier if that was planned already.
local function due_outbox(ns)
  local at = now() + LIMIT.outbox_ms
  local planned = call('ZSCORE', SHARD .. SHARD_KEY.due, member(ns, '', DUE.outbox))
  if not planned or tonumber(planned) > at then due(ns, '', DUE.outbox, at) end
end
