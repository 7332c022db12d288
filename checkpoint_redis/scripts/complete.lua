-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua read.lua finished.lua
-- Records results; the one that closes the barrier becomes the reducer.
-- KEYS[1] header. ARGV[1] {ns, ep, tok, tok2, lease, results}
-- -> {results, statuses, open|paused} | {results, statuses, advance, context, writes} | {gone}
local f = fence(A.ns, A.ep, BUSY_OR_ERROR)
if not f then return {'gone'} end
return complete(f)
