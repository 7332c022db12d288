-- needs: lib.lua fence.lua task.lua due.lua
-- Renews leases. KEYS[1] due key of the shard. ARGV[1] {leases, lease}; leases: LEASE
-- -> 1 | 0 per lease; 0 = it is lost
local function holds(ns, ep, tid, token)
  local frame = fence(ns, ep, BUSY)
  if not frame then return false end
  if tid == TID.advance then return frame.advance == ADVANCE.leased and frame.token == token end
  local task = read_task(ns, tid)
  return task and task[TASK.state] == STATE.running and task[TASK.token] == token
end

local out = {}
for i, row in ipairs(A.leases) do
  local ns, tid = row[LEASE.ns], row[LEASE.tid]
  thread(row[LEASE.x])
  out[i] = 0
  if holds(ns, row[LEASE.epoch], tid, row[LEASE.token]) then
    if tid == TID.advance then due(ns, '', DUE.advance, now() + A.lease)
    else due(ns, tid, DUE.lease, now() + A.lease) end
    out[i] = 1
  end
end
return out
