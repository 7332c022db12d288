-- Who was seen, and the present by the same clock. KEYS[1] workers key.
-- -> {seconds, microseconds, {name, record...}}
local time = redis.call('TIME')
return {time[1], time[2], redis.call('HGETALL', KEYS[1])}
