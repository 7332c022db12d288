-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Removes everything of a thread. KEYS[1] header. ARGV[1] {ep}: only while that is its epoch, and it
-- rests ('' = whatever it does). -> {ok} | {missing} | {busy, run} | {conflict, head}
local h = call('HMGET', H, 'st', 'run', '/ep', '/cp')
local st = h[1]
if A.ep ~= '' and st then
  if st == 'busy' then return {'busy', h[2]} end
  -- Something came since the caller looked, and would go with the rest.
  if h[3] ~= A.ep then return {'conflict', h[4] or ''} end
end
thaw()
drop_step('')
index(st, nil)
call('UNLINK', H, C, P .. 'e', P .. 'eb')
return {st and 'ok' or 'missing'}
