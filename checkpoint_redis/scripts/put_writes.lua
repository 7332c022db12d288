-- needs: lib.lua format.lua frozen.lua restore.lua pack.lua left.lua drop.lua status.lua log.lua
-- Appends records to the log of what a checkpoint's tasks left, as a saver does. KEYS[1] header.
-- ARGV[1] {ns, cp, ep, new_ep, asks, records}; ep: the epoch as the caller read it ('' = whichever it
-- is, as long as there is nothing that the records would have to hold too)
-- -> {ok, number of the first record} | {ok}: it was done before | {busy, run} | {missing}
-- | {conflict, ep}: read what is there first
local st, run, head, ep, number = unpack(call('HMGET', H, HEADER.status, HEADER.run,
  FRAME.checkpoint, FRAME.epoch, HEADER.form))
local refused = too_old(number)
if refused then return refused end
if not st then return {REPLY.missing} end
if A.ns ~= '' then head = call('HGET', frame_key(A.ns), FRAME.checkpoint) end
if ep == A.new_ep then return {REPLY.ok} end
if st == STATUS.busy then return {REPLY.busy, run} end
if A.ep ~= '' and ep ~= A.ep then return {REPLY.conflict, ep} end
local at_head = head == A.cp
local opened = at_head and is_open(A.ns)
local at = A.ns .. '|' .. A.cp
local kept, left = FIELD.caller_writes .. at, FIELD.left .. at
-- What workers left goes into the log with the rest: it must not be in two places.
if A.ep == '' and (opened or cget(kept) or not at_head and cget(left)) then return {REPLY.conflict, ep} end
thaw()
-- Who is about to remove the checkpoint has not seen this log.
call('HSET', H, FRAME.epoch, A.new_ep)
if opened then close_step(A.ns, packed(A.ns)) end
call('HDEL', C, kept)
forget_left(at)
-- There may be results, answers and whole frames in them.
note_form(FORMAT.newest)
local before = append_log(A.ns, A.cp, A.records)
if at_head and A.ns == '' and A.asks and st ~= STATUS.interrupted then
  put_to_rest(STATUS.interrupted)
end
return {REPLY.ok, string.format('%d', before)}
