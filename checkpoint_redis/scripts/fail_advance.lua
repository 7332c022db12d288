-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua
-- Ends the run because its results cannot be reduced or the next superstep not planned.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, error} -> {failed|stale|gone}
local f = fence(A.ns, A.ep, BUSY)
if not f then return {'gone'} end
-- Only the present reducer may give up: an earlier one may have died of something else.
if f.adv ~= 'l' or f.advtok ~= A.tok then return {'stale'} end
finish_run('error', 'error', blob(A.error))
return {'failed'}
