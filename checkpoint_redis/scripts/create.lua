-- needs: lib.lua status.lua
-- A thread that no run has started yet.
local function create()
  call('HSET', H, HEADER.id, blob(A.id), HEADER.graph, A.graph, HEADER.fingerprint, A.fp,
    HEADER.queue, A.queue, HEADER.run, '', HEADER.created, now())
  stand(STATUS.idle)
end
