-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua failing.lua
-- Queues again what `owner` held. KEYS[1] header.
-- ARGV[1] {ns, ep, tids, owner, max_lost, error, given_back} -> {released, hints} | {failed} | {gone}
local frame = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not frame then return {'gone'} end
local busy = frame.st == 'busy'
local out = {}
for _, tid in ipairs(A.tids) do
  local f = get(A.ns, tid)
  -- Taken over meanwhile by another worker, whose attempt must go on.
  if f and f[ST] == 'R' and f[OWNER] == A.owner then
    nodue(A.ns, tid, 'l')
    if A.given_back then f[ATT] = f[ATT] - 1
    elseif busy and lose(A.ns, tid, f, A.max_lost, blob(A.error)) then return {'failed'} end
    requeue(A.ns, tid, f)
    -- Of a failed run nothing is started until it is retried, which tells of all that is queued.
    if busy then
      due_outbox(A.ns, now() + OUTBOX_MS)
      out[#out + 1] = hint(A.ns, tid, f)
    end
  end
end
return {'released', out}
