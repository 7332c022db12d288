-- needs: lib.lua format.lua slices.lua
-- Sets bundles aside that a removal is about to leave to nobody; they stay where that does not come.
-- KEYS[1] header. ARGV[1] {aside, sent}; aside: <ns>.<nonce>; sent: bundle, size, bundle... -> 1
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
many('HSET', P .. KEY.dropped .. A.aside, A.sent)
call('PEXPIRE', P .. KEY.dropped .. A.aside, LIMIT.staged_ms)
return 1
