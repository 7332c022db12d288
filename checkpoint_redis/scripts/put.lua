-- needs: lib.lua format.lua frozen.lua restore.lua create.lua log.lua drop.lua packet.lua status.lua frames.lua checkpoints.lua
-- Puts a checkpoint as a saver does: it becomes the head when it is the newest. The thread is
-- created when it does not exist. KEYS[1] header.
-- ARGV[1] {ns, frame, ep, expect, needs, after, free, shared, id, graph, fp, queue, checkpoint}; expect: the epoch
-- that the thread must have ('' = there must be none, false = whatever there is); needs: names of values
-- that do not come along; after: the checkpoint that has them, or ''; free: of segments;
-- shared: SHARED rows of the log of `after` -> {ok} | {busy, run} | {conflict, head} | {unstored}
local st, run, head, ep, number = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  FRAME.checkpoint, FRAME.epoch, HEADER.form))
local refused = too_old(number)
if refused then return refused end
if A.ns ~= '' then head = call('HGET', frame_key(A.ns), FRAME.checkpoint) end
head = head or ''
if ep == A.ep then return {REPLY.ok} end
-- Workers hold the open superstep: what a program of another process computes is not theirs.
if st == STATUS.busy then return {REPLY.busy, run} end
if A.expect and (ep or '') ~= A.expect then return {REPLY.conflict, head} end
local function has(ref) return chas(FIELD.channel .. A.ns .. '|' .. ref) end

-- A fail-over has lost it: what stands where its segments were may be another's.
if A.after ~= '' and not chas(FIELD.checkpoint .. A.ns .. '|' .. A.after) then
  return {REPLY.unstored}
end
-- They were removed, with the checkpoint that had them, since the caller looked.
for _, ref in ipairs(A.needs) do
  if not has(ref) then return {REPLY.unstored} end
end
-- Another fork has gone on with the line: two never append to the same one.
for _, ref in ipairs(A.free) do
  if has(ref) then return {REPLY.unstored} end
end
if not all_staged(A.checkpoint[CHECKPOINT.packets]) then return {REPLY.unstored} end
if not st then create() end
thaw()
-- Whatever ran from the old head may no more write.
call('HSET', H, FRAME.epoch, A.ep)
note_form(FORMAT.saved)
list_frame(A.ns, A.frame)
store_checkpoint(A.ns, A.checkpoint)
share_log(A.ns, A.after, A.shared, A.checkpoint[CHECKPOINT.channels])
local cp = A.checkpoint[CHECKPOINT.id]
if cp >= head then
  if A.ns == '' and cp ~= head then
    drop_step('')
    put_to_rest(STATUS.idle)
  end
  -- A graph inside a task goes on from here, once its task does.
  if A.ns ~= '' and cp ~= head and is_open(A.ns) then drop_step(A.ns) end
  set_head(A.ns, cp, A.checkpoint[CHECKPOINT.step], A.checkpoint[CHECKPOINT.refs])
end
return {REPLY.ok}
