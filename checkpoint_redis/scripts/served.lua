-- Whether this worker has the graph's code: an unserved task stays queued, unharmed.
local function served(frame, names)
  for _, name in ipairs(names) do
    if name == frame.graph .. GRAPH.separator .. frame.fp then return true end
  end
  return false, UNSERVED{status = REPLY.unserved, graph = frame.graph, fingerprint = frame.fp,
    format = 0, release = ''}
end
