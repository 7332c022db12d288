-- needs: lib.lua format.lua frozen.lua create.lua left.lua drop.lua store_checkpoints.lua status.lua
-- Puts checkpoints on a thread at rest, creating it when a graph is named.
-- KEYS[1] header. ARGV[1] {expect, seen, waiting, id, graph, fp, queue, ep, done, checkpoints}; done: DONE; seen: the
-- epoch as the caller read it ('' = whichever it is).
-- -> {ok} | {busy, run} | {conflict, head} | {missing}
local st, run, head, ep, number = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  FRAME.checkpoint, FRAME.epoch, HEADER.form))
local refused = too_old(number)
if refused then return refused end
head = head or ''
if not st and A.graph == '' then return {REPLY.missing} end
if st == STATUS.busy then return {REPLY.busy, run} end
if ep == A.ep then return {REPLY.ok} end
if head ~= A.expect then return {REPLY.conflict, head} end
-- The head is the same, but what an older checkpoint holds may be gone.
if A.seen ~= '' and ep ~= A.seen then return {REPLY.conflict, head} end
-- What was staged for it has lapsed: too long ago, to the caller, is as if the thread had moved on.
if not checkpoints_are_staged(A.checkpoints) then return {REPLY.conflict, head} end
if not st then create() end
thaw()
drop_step('')
if #A.done > 0 then add_left('', A.done) end
call('HSET', H, FRAME.epoch, A.ep)
store_checkpoints('', A.checkpoints)
put_to_rest(A.waiting and STATUS.interrupted or STATUS.idle)
return {REPLY.ok}
