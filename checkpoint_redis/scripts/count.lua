-- needs: lib.lua walk.lua
-- How many threads of a shard there are. KEYS[1] due key of the shard. ARGV[1] {sets, having, since,
-- before, after}, as walk.lua has them -> PAGE; threads: how many, behind the place up to there
if #A.sets == 1 and #A.having == 0 then
  local count = call('ZCOUNT', set(walked), oldest, newest)
  return PAGE{place = '', looked = 0, threads = count}
end
local count = 0
local place, looked = walk(#A.having > 0 and LIMIT.listed or LIMIT.slice, function()
  count = count + 1
  return false
end)
return PAGE{place = place, looked = looked, threads = count}
