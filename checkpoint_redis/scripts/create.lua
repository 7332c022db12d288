-- needs: lib.lua
-- A thread that no run has started yet.
local function create()
  call('HSET', H, HEADER.id, blob(A.id), HEADER.graph, A.graph, HEADER.fingerprint, A.fp,
    HEADER.queue, A.queue, HEADER.status, STATUS.idle, HEADER.run, '', HEADER.created, now())
end
