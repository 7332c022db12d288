-- needs: lib.lua runs.lua
-- How a run stands. KEYS[1] header. ARGV[1] {run} -> OUTCOME_REPLY
return outcome_reply(A.run)
