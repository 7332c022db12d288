-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua read.lua step.lua finished.lua
-- complete and commit at once, for the only task of a superstep; else it is complete.
-- KEYS[1] header. ARGV[1] that of complete, {caller_writes} (how many the caller applied), {step}
-- -> as commit, or as complete
local f = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not f then
  if call('HGET', H, A.ns .. '/ep') == A.step.ep then return {'again', A.step.ep} end
  return {'gone'}
end
-- The caller applied its own writes alone: there must be no others, stored or to come.
local alone = f.st == 'busy' and f.adv == '' and call('SCARD', P .. 'a:' .. A.ns) == 1
  and call('EXISTS', P .. 'w:' .. A.ns, P .. 'u:' .. A.ns) == 0
  and caller_write_count(A.ns) == A.caller_writes
if not alone or (A.step.staged and not is_staged(A.step.ep)) then return complete(f) end
if record(A.ns, f.st, A.tok, A.results[1]) ~= 'done' then return complete(f) end
drop_step(A.ns, true)
return open_step(A.ns, A.step)
