-- needs: lib.lua frozen.lua pack.lua slices.lua
-- A superstep at rest goes on: it has its keys again.
local function is_open(ns)
  return call('EXISTS', P .. KEY.tasks .. ns) == 1 or cget(FIELD.packed .. ns) ~= false
end

local function restore_step(ns)
  for part, list in pairs(packed(ns) or {}) do many('HSET', P .. part .. ns, list) end
  forget_packed(ns)
end
