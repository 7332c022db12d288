-- needs: lib.lua due.lua
-- How the thread stands, and the index of those that do not stand idle.
local function index(old, new)
  if old and old ~= STATUS.idle then call('ZREM', SHARD .. SHARD_KEY.by_status .. old, X) end
  if new and new ~= STATUS.idle then
    call('ZADD', SHARD .. SHARD_KEY.by_status .. new, now(), X)
  end
end

-- A thread at rest has no superstep to dispatch and keeps its events for five minutes more.
local function put_to_rest(st)
  index(call('HGET', H, HEADER.status), st)
  call('HSET', H, HEADER.status, st, HEADER.updated, now())
  not_due('', '', DUE.advance)
  not_due('', '', DUE.outbox)
  call('HDEL', H, FRAME.advance, FRAME.advance_token, FRAME.advances, FRAME.visited,
    FRAME.waiting, HEADER.event_bytes, HEADER.event_mark)
  call('PEXPIRE', P .. KEY.events, LIMIT.events_ms)
end
