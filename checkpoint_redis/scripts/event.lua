-- The thread's event stream.
local MAX_EVENTS, INLINE_EVENT = 100000, 4096

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
