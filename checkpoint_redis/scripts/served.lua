-- needs: lib.lua
-- Whether this worker has the graph's code: an unserved task stays queued, unharmed.
local function is_among(names, graph, fp)
  for _, name in ipairs(names) do
    if name == graph .. GRAPH.separator .. fp then return true end
  end
  return false
end

-- A graph inside a task is found by the root's, which does not tell of which version it is.
-- -> nil | UNSERVED
local function not_served(ns, frame, names)
  local graph, fp = frame.graph, frame.fp
  if ns ~= '' and is_among(names, graph, fp) then
    graph, fp = unpack(call('HMGET', H, HEADER.graph, HEADER.fingerprint))
  end
  if is_among(names, graph, fp) then return nil end
  return UNSERVED{status = REPLY.unserved, graph = graph, fingerprint = fp, format = 0, release = ''}
end
