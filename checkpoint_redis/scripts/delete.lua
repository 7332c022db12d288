-- needs: lib.lua due.lua frozen.lua lines.lua restore.lua packet.lua drop.lua status.lua frames.lua
-- Removes everything of a thread, in whichever format it is, as much as a script may: what is left then
-- is a thread without a checkpoint. KEYS[1] header. ARGV[1] {ep}: only while that is its epoch, and it
-- rests ('' = whatever it does) -> {ok} | {more}: call again | {missing} | {busy, run} | {conflict, head}
local st, run, ep, head =
  unpack(call('HMGET', H, HEADER.status, HEADER.run, FRAME.epoch, FRAME.checkpoint))
if A.ep ~= '' and st then
  if st == STATUS.busy then return {REPLY.busy, run} end
  -- Something came since the caller looked, and would go with the rest.
  if ep ~= A.ep then return {REPLY.conflict, head or ''} end
end
thaw()
local most = is_open('') and LIMIT.removed_too or LIMIT.removed
drop_step('')
-- The lines of a newer version may have another form: then its records lapse.
pcall(forget_records)
call('UNLINK', C, P .. KEY.listing, P .. KEY.events)
-- What has keys of its own.
remove_bundles(call('SPOP', P .. KEY.bundles, most))
forget_some_frames(math.ceil(most / 2))
for _, name in ipairs(call('SPOP', P .. KEY.wide, most)) do call('UNLINK', P .. KEY.left .. name) end
for _, name in ipairs(call('SPOP', P .. KEY.unsent, most)) do
  call('UNLINK', P .. KEY.dropped .. name)
  not_due(string.match(name, '^[^.]*'), name, DUE.unsent)
end
for _, name in ipairs(call('SPOP', P .. KEY.ended, most)) do
  call('UNLINK', P .. KEY.aside .. name)
  not_due(string.match(name, '^[^.]*'), name, DUE.frames)
end
local left = call('EXISTS', P .. KEY.bundles, P .. KEY.frames, P .. KEY.wide, P .. KEY.unsent, P .. KEY.ended)
if st and left > 0 then
  call('HDEL', H, FRAME.checkpoint, FRAME.step)
  put_to_rest(STATUS.idle)
  return {REPLY.more}
end
unindex()
call('UNLINK', H)
return {st and REPLY.ok or REPLY.missing}
