-- needs: lib.lua walk.lua listed.lua
-- A page of threads of a shard. KEYS[1] due key of the shard. ARGV[1] {sets, having, since, before,
-- after, limit}, as walk.lua has them -> PAGE; place: of the last one that was looked at ('' = that
-- were all), looked: how many were
local out = {}
local place, looked = walk(LIMIT.listed, function()
  out[#out + 1] = listed()
  return #out == A.limit or has_read_much()
end)
return PAGE{place = place, looked = looked, threads = out}
