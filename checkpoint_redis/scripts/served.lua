-- Whether this worker has the graph's code: an unserved task stays queued, unharmed.
local function served(f, names)
  for _, name in ipairs(names) do
    if name == f.graph .. '@' .. f.fp then return true end
    local any = f.fp == '' and string.match(name, '^(.*)@[^@]*$') == f.graph
    if any then return true end
  end
  return false, {'unserved', f.graph, f.fp}
end
