-- include: lib.lua task.lua
-- Renews leases. KEYS[1] due key of the shard. ARGV[1] {leases, lease}; leases: {x, ns, ep, tid, tok}
-- -> 1 | 0 per lease; 0 = it is lost
local function holds(ns, ep, tid, tok)
  local frame = fence(ns, ep, BUSY)
  if not frame then return false end
  if tid == '@' then return frame.adv == 'l' and frame.advtok == tok end
  local f = get(ns, tid)
  return f and f[ST] == 'R' and f[TOK] == tok
end

local out = {}
for i, lease in ipairs(A.leases) do
  local x, ns, ep, tid, tok = unpack(lease)
  thread(x)
  out[i] = 0
  if holds(ns, ep, tid, tok) then
    if tid == '@' then due(ns, '', 'a', now() + A.lease) else due(ns, tid, 'l', now() + A.lease) end
    out[i] = 1
  end
end
return out
