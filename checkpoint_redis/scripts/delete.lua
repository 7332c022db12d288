-- needs: lib.lua frozen.lua packet.lua left.lua drop.lua status.lua frames.lua
-- Removes everything of a thread, in whichever format it is. KEYS[1] header. ARGV[1] {ep}: only while that is its epoch, and it
-- rests ('' = whatever it does). -> {ok} | {missing} | {busy, run} | {conflict, head}
local st, run, ep, head =
  unpack(call('HMGET', H, HEADER.status, HEADER.run, FRAME.epoch, FRAME.checkpoint))
if A.ep ~= '' and st then
  if st == STATUS.busy then return {REPLY.busy, run} end
  -- Something came since the caller looked, and would go with the rest.
  if ep ~= A.ep then return {REPLY.conflict, head or ''} end
end
thaw()
drop_step('')
unindex()
remove_bundles(call('SMEMBERS', P .. KEY.bundles))
forget_frames()
for _, name in ipairs(call('SMEMBERS', P .. KEY.wide)) do forget_left(name) end
call('UNLINK', H, C, P .. KEY.listing, P .. KEY.events)
return {st and REPLY.ok or REPLY.missing}
