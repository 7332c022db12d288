-- needs: lib.lua fence.lua due.lua served.lua rising.lua over.lua advance.lua
-- Takes the right to reduce and commit a closed superstep.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, lease, served, max, error, known}
-- -> ADVANCE_REPLY | {busy} | {gone} | {missing} | UNSERVED | {failed, HINT...}
local frame, beyond = fence(A.ns, A.ep, BUSY)
local refused = beyond or frame and not_served(A.ns, frame, A.served)
if refused then
  due_again(A.ns, DUE.advance)
  return refused
end
if not frame or not is_parked(A.ns) then return {REPLY.gone} end
if frame.advance == ADVANCE.leased and frame.token == A.tok then return advance(A.ns) end
if frame.advance ~= ADVANCE.waiting then return {REPLY.busy} end
-- A reducer that kills its worker must not go round for ever.
if tonumber(call('HGET', frame_key(A.ns), FRAME.advances) or 0) >= A.max then
  return {REPLY.failed, come_to_end(A.ns, STATUS.error, RUN.error, blob(A.error))}
end
call('HSET', frame_key(A.ns), FRAME.advance, ADVANCE.leased, FRAME.advance_token, A.tok)
call('HINCRBY', frame_key(A.ns), FRAME.advances, 1)
due(A.ns, '', DUE.advance, now() + A.lease)
return advance(A.ns)
