-- needs: lib.lua format.lua
-- The thread's event stream. A payload too large for it stands beside it under a number.
local function event(kind, payload, bytes)
  note_form(FORMAT.event)
  local entry = {EVENT_FIELD.kind, kind, EVENT_FIELD.payload, encode(payload)}
  if bytes and #bytes > LIMIT.inline_payload then
    local n = call('HINCRBY', P .. KEY.payloads, PAYLOAD_FIELD.last, 1)
    call('HSET', P .. KEY.payloads, n, bytes)
    entry[5], entry[6] = EVENT_FIELD.ref, n
  elseif bytes and bytes ~= '' then
    entry[5], entry[6] = EVENT_FIELD.blob, bytes
  end
  call('XADD', P .. KEY.events, 'MAXLEN', '~', LIMIT.events, '*', unpack(entry))
end
