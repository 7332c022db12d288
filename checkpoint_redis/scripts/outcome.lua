-- include: lib.lua
-- How a run stands. KEYS[1] header. ARGV[1] {run} -> {[status, checkpoint] | false, error}
return {call('HGET', H, 'o|' .. A.run), call('HGET', C, 'oe|' .. A.run)}
