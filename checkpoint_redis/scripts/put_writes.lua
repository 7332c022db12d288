-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Appends records to the log of what a checkpoint's tasks left, as a saver does. KEYS[1] header.
-- ARGV[1] {ns, cp, ep, asks, records}; ep: the open superstep that the records replace ('' = none)
-- -> {ok} | {busy, run} | {missing} | {conflict, ep}: a superstep is open, read it first
local h = call('HMGET', H, 'st', 'run', A.ns .. '/cp', A.ns .. '/ep')
if not h[1] then return {'missing'} end
if h[1] == 'busy' then return {'busy', h[2]} end
local at_head = h[3] == A.cp
local opened = at_head and is_open(A.ns)
local kept = 'z|' .. A.ns .. '|' .. A.cp
-- What workers left goes into the log with the rest: it must not be in two places.
if (opened or cget(kept)) and (A.ep == '' or h[4] ~= A.ep) then return {'conflict', h[4]} end
thaw()
if opened then drop_step(A.ns) end
call('HDEL', C, kept)
local name = 'p|' .. A.ns .. '|' .. A.cp
local count = tonumber(call('HGET', C, name) or 0)
for i, position in ipairs(A.records) do
  call('HSET', C, name .. '|' .. (count + i - 1), blob(position))
end
call('HSET', C, name, count + #A.records)
if at_head and A.ns == '' and A.asks and h[1] ~= 'interrupted' then put_to_rest('interrupted') end
return {'ok'}
