-- needs: lib.lua format.lua event.lua
-- Appends custom events. KEYS[1] header. ARGV[1] {run, events}; events: CUSTOM -> 1 | 0
local st, run, number = unpack(call('HMGET', H, HEADER.status, HEADER.run, HEADER.form))
local refused = too_old(number)
if refused then return refused end
-- The run has ended: its stream is at rest, and the next run's is not its own.
if st ~= STATUS.busy or run ~= A.run then return 0 end
for _, row in ipairs(A.events) do
  event(EVENT.custom,
    CUSTOM_EVENT{ns = row[CUSTOM.ns], tid = row[CUSTOM.tid], token = row[CUSTOM.token]},
    blob(row[CUSTOM.blob]))
end
return 1
