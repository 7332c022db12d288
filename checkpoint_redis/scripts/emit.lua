-- include: lib.lua event.lua
-- Appends custom events. KEYS[1] header. ARGV[1] {run, events}; events: {ns, tid, tok, blob} -> 1 | 0
local h = call('HMGET', H, 'st', 'run')
-- The run has ended: its stream is at rest, and the next run's is not its own.
if h[1] ~= 'busy' or h[2] ~= A.run then return 0 end
for _, e in ipairs(A.events) do event('custom', {e[1], e[2], e[3]}, blob(e[4])) end
return 1
