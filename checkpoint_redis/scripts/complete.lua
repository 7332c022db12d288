-- needs: lib.lua fence.lua finished.lua
-- Records results; the one that closes the barrier becomes the reducer.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, tok2, lease, results}; results: RESULT
-- -> RESULTS: open | paused | advance | {gone}
local frame = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not frame then return {REPLY.gone} end
return complete(frame)
