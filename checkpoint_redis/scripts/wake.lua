-- Wakes a read that is blocked. KEYS[1] wake key of a process or loop, which it reads -> 1
redis.call('XADD', KEYS[1], 'MAXLEN', 1, '*', 'w', '')
-- Nobody removes it; a read is blocked for less time than that.
redis.call('PEXPIRE', KEYS[1], LIMIT.wake_ms)
return 1
