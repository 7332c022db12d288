-- Whether this worker has the graph's code: an unserved task stays queued, unharmed.
-- -> nil | UNSERVED
local function not_served(frame, names)
  for _, name in ipairs(names) do
    if name == frame.graph .. GRAPH.separator .. frame.fp then return nil end
  end
  return UNSERVED{status = REPLY.unserved, graph = frame.graph, fingerprint = frame.fp,
    format = 0, release = ''}
end
