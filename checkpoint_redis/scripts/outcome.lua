-- needs: lib.lua format.lua runs.lua
-- How a run stands. KEYS[1] header. ARGV[1] {run} -> OUTCOME_REPLY
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
return outcome_reply(A.run)
