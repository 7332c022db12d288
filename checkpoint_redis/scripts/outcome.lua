-- include: lib.lua runs.lua
-- How a run stands. KEYS[1] header. ARGV[1] {run} -> {[status, checkpoint] | false, error}
return {outcome_json(A.run), call('HGET', C, 'oe|' .. A.run)}
