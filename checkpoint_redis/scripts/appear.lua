-- Tells that a worker lives, by the clock of Redis: those of machines differ. KEYS[1] workers key.
-- ARGV[1] its name, ARGV[2] what it tells of itself -> 1 the first time, else 0
local time = redis.call('TIME')
local at = string.format('%d.%06d', time[1], time[2])
return redis.call('HSET', KEYS[1], ARGV[1], at .. ' ' .. ARGV[2])
