-- needs: lib.lua format.lua frozen.lua create.lua drop.lua status.lua checkpoints.lua
-- Puts a checkpoint as a saver does: it becomes the head when it is the newest. The thread is
-- created when it does not exist. KEYS[1] header.
-- ARGV[1] {ns, ep, fresh, id, graph, fp, queue, checkpoint}; fresh: only on a new thread
-- -> {ok} | {busy, run} | {conflict, head}
local st, run, head, ep, number = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  A.ns .. FRAME.checkpoint, FRAME.epoch, HEADER.form))
local refused = too_old(number)
if refused then return refused end
head = head or ''
-- Workers hold the open superstep: what a program of another process computes is not theirs.
if st == STATUS.busy then return {REPLY.busy, run} end
if A.fresh and st and ep ~= A.ep then return {REPLY.conflict, head} end
if not st then create() end
thaw()
-- Whatever ran from the old head may no more write.
call('HSET', H, FRAME.epoch, A.ep)
note_form(FORMAT.saved)
store_checkpoint(A.ns, A.checkpoint)
local cp = A.checkpoint[CHECKPOINT.id]
if cp >= head then
  if A.ns == '' and cp ~= head then
    drop_step('')
    put_to_rest(STATUS.idle)
  end
  set_head(A.ns, cp, A.checkpoint[CHECKPOINT.step], A.checkpoint[CHECKPOINT.refs])
end
return {REPLY.ok}
