-- needs: lib.lua
-- Which runs of a shard are still under way. KEYS[1] due key of the shard. ARGV[1] {runs};
-- runs: AWAITED -> 1 | 0 for each
local out = {}
for i, row in ipairs(A.runs) do
  thread(row[AWAITED.x])
  local st, run = unpack(call('HMGET', H, HEADER.status, HEADER.run))
  out[i] = st == STATUS.busy and run == row[AWAITED.run] and 1 or 0
end
return out
