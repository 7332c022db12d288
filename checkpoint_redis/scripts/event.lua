-- needs: lib.lua format.lua
-- The thread's event stream. A payload stands in its entry and goes with it, so that none outlives
-- what it belongs to.

-- Of payloads there is never more than twice the limit: what is older than the last mark but one goes.
local function bound_payloads(id, bytes)
  local size = call('HINCRBY', H, HEADER.event_bytes, #bytes)
  if size <= LIMIT.event_bytes then return end
  local oldest = call('HGET', H, HEADER.event_mark)
  if oldest then call('XTRIM', P .. KEY.events, 'MINID', oldest) end
  call('HSET', H, HEADER.event_mark, id, HEADER.event_bytes, 0)
end

-- The run under way, read once for each thread.
local current = {}

local function current_run()
  if not current[H] then current[H] = call('HGET', H, HEADER.run) or '' end
  return current[H]
end

local function event(kind, ns, payload, bytes)
  note_form(FORMAT.event)
  local number = call('HINCRBY', H, HEADER.event_count, 1)
  local entry = {EVENT_FIELD.kind, kind, EVENT_FIELD.number, number, EVENT_FIELD.run, current_run(),
    EVENT_FIELD.frame, ns, EVENT_FIELD.payload, encode(payload)}
  local any = bytes and bytes ~= ''
  if any then
    entry[#entry + 1] = EVENT_FIELD.blob
    entry[#entry + 1] = bytes
  end
  local id = call('XADD', P .. KEY.events, 'MAXLEN', '~', LIMIT.events, '*', unpack(entry))
  if any then bound_payloads(id, bytes) end
end
