-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Removes checkpoints of a thread at rest with what only they refer to. KEYS[1] header.
-- ARGV[1] {ep, fields, heads}; heads: {ns, cp, step, refs} where the head goes too (cp '' = none left)
-- -> {ok} | {busy, run} | {missing} | {conflict, head}
local h = call('HMGET', H, 'st', 'run', '/ep', '/cp')
if not h[1] then return {'missing'} end
if h[1] == 'busy' then return {'busy', h[2]} end
-- Checkpoints came since the caller looked, and may refer to what it takes for unused.
if (h[3] or '') ~= A.ep then return {'conflict', h[4] or ''} end
thaw()
many('HDEL', C, A.fields)
for _, head in ipairs(A.heads) do
  local ns, cp, step, refs = unpack(head)
  if ns == '' then
    drop_step('')
    call('HDEL', C, caller_writes_field(ns))
    put_to_rest('idle')
  end
  if cp == '' then
    call('HDEL', C, 'f|' .. ns)
    call('HDEL', H, ns .. '/cp', ns .. '/step')
  else
    call('HSET', C, 'f|' .. ns, refs)
    call('HSET', H, ns .. '/cp', cp, ns .. '/step', step)
  end
end
return {'ok'}
