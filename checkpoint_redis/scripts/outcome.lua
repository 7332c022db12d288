-- needs: lib.lua format.lua runs.lua lines.lua
-- How a run stands. KEYS[1] header. ARGV[1] {run} -> RUN_REPLY
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
return RUN_REPLY{record = record_of(A.run), line = find_line(A.run) or false,
  joined = joined_by(A.run) or false, now = now()}
