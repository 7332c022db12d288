-- needs: lib.lua
-- Whether one task is all that there is of a superstep: whoever ends it may commit at once.
local function is_alone(ns)
  return call('SCARD', P .. KEY.active .. ns) == 1
    and call('EXISTS', P .. KEY.writes .. ns, P .. KEY.questions .. ns) == 0
end
