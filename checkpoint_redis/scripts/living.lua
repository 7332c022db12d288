-- needs: lib.lua
-- Whether a hint of the thread would find a worker: A.living has the greatest format that anybody
-- reads of those who live, by what they serve; false = that is not known, or nobody lives.
local function is_read(key, number)
  local graph, fp = unpack(call('HMGET', key, HEADER.graph, HEADER.fingerprint))
  local reads = A.living[(graph or '') .. GRAPH.separator .. (fp or '')]
  return (reads or 0) >= tonumber(number or 0)
end

-- A graph inside a task is found by the root's.
local function finds_worker(ns, number)
  return not A.living or is_read(H, number) and (ns == '' or is_read(frame_key(ns), number))
end
