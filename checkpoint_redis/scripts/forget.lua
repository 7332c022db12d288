-- needs: lib.lua format.lua slices.lua frozen.lua restore.lua lines.lua caller_writes.lua packet.lua left.lua drop.lua status.lua listing.lua frames.lua checkpoints.lua
-- Removes checkpoints of a thread at rest with what only they refer to, and the records of runs but
-- the last. KEYS[1] header.
-- ARGV[1] {ep, new_ep, fields, aside, heads}; ep: the epoch as the caller read it; aside:
-- names of the bundles, set aside before, to which only what goes here referred; heads: NEW_HEAD where the
-- head goes too (checkpoint '' = none left) -> {ok} | {busy, run} | {missing} | {conflict, head}
local st, run, ep, present, number = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  FRAME.epoch, FRAME.checkpoint, HEADER.form))
local refused = too_old(number)
if refused then return refused end
if not st then return {REPLY.missing} end
if ep == A.new_ep then return {REPLY.ok} end
if st == STATUS.busy then return {REPLY.busy, run} end
-- Checkpoints came since the caller looked, and may refer to what it takes for unused.
if (ep or '') ~= A.ep then return {REPLY.conflict, present or ''} end
for _, name in ipairs(A.aside) do
  -- It has lapsed meanwhile.
  if call('EXISTS', P .. KEY.dropped .. name) == 0 then return {REPLY.conflict, present or ''} end
end
thaw()
-- Who looked before this must not remove, or store, by what was there then.
call('HSET', H, FRAME.epoch, A.new_ep)
many('HDEL', C, A.fields)
for _, field in ipairs(A.fields) do
  local name = string.match(field, '^' .. FIELD.left .. '(.*)$')
  if name then forget_left(name) end
end
for _, name in ipairs(A.aside) do put_aside(name) end
-- Only the lines stay of what is not the last run.
forget_records()
call('HDEL', C, FIELD.joined)
local waits = st == STATUS.interrupted
for _, head in ipairs(A.heads) do
  local ns, cp = head[NEW_HEAD.ns], head[NEW_HEAD.checkpoint]
  if ns == '' then
    drop_step('')
    forget_left(left_name(ns))
    call('HDEL', C, caller_writes_field(ns))
    put_to_rest(STATUS.idle)
    waits = false
  elseif is_open(ns) then drop_step(ns) end
  if cp == '' then
    call('HDEL', C, FIELD.head_refs .. ns)
    if ns == '' then call('HDEL', H, FRAME.checkpoint, FRAME.step) else forget_frame(ns) end
  else set_head(ns, cp, head[NEW_HEAD.step], head[NEW_HEAD.refs]) end
end
unlist(A.fields)
if waits then freeze() end
return {REPLY.ok}
