-- needs: lib.lua
-- Whether this worker has the graph's code: an unserved task stays queued, unharmed.
local function served(frame, names)
  for _, name in ipairs(names) do
    if name == frame.graph .. '@' .. frame.fp then return true end
    local any = frame.fp == '' and string.match(name, '^(.*)@[^@]*$') == frame.graph
    if any then return true end
  end
  return false, UNSERVED{status = REPLY.unserved, graph = frame.graph, fingerprint = frame.fp}
end
