-- include: lib.lua frozen.lua runs.lua
-- How a run stands. KEYS[1] header. ARGV[1] {run} -> {[status, checkpoint] | false, error}
return {outcome_json(A.run), cget('oe|' .. A.run)}
