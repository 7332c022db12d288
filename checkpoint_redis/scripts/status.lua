-- needs: lib.lua due.lua
-- How the thread stands, and the sets in which those of its shard are found by when they last began,
-- ended or were written to: all, those of its status, of its graph, of each of its marks.
local function indexes(st, graph, marks)
  local names = {INDEX.all, INDEX.status .. st, INDEX.graph .. graph}
  for mark in string.gmatch(marks or '', '%S+') do names[#names + 1] = INDEX.mark .. mark end
  return names
end

local function unindex()
  local st, graph, marks = unpack(call('HMGET', H, HEADER.status, HEADER.graph, HEADER.marks))
  for _, name in ipairs(st and indexes(st, graph, marks) or {}) do
    call('ZREM', SHARD .. SHARD_KEY.found .. name, X)
  end
end

local function stand(st)
  local old, graph, marks = unpack(call('HMGET', H, HEADER.status, HEADER.graph, HEADER.marks))
  if old and old ~= st then call('ZREM', SHARD .. SHARD_KEY.found .. INDEX.status .. old, X) end
  call('HSET', H, HEADER.status, st, HEADER.updated, now())
  for _, name in ipairs(indexes(st, graph, marks)) do
    call('ZADD', SHARD .. SHARD_KEY.found .. name, now(), X)
  end
end

-- A thread at rest has no superstep to dispatch and keeps its events for five minutes more.
local function put_to_rest(st)
  stand(st)
  not_due('', '', DUE.advance)
  not_due('', '', DUE.outbox)
  call('HDEL', H, FRAME.advance, FRAME.advance_token, FRAME.advances, FRAME.visited,
    FRAME.waiting, HEADER.event_bytes, HEADER.event_mark)
  call('PEXPIRE', P .. KEY.events, LIMIT.events_ms)
end
