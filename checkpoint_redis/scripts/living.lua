-- needs: lib.lua
-- Whether a hint of the thread would find a worker: A.living has the greatest format that anybody
-- reads of those who live, by what they serve; false = that is not known, or nobody lives.
local function finds_worker(graph, fp, number)
  local reads = A.living and A.living[(graph or '') .. GRAPH.separator .. (fp or '')]
  return not A.living or (reads or 0) >= tonumber(number or 0)
end
