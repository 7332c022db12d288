-- needs: lib.lua
-- The header with the fields of one frame, HEADER_ROW, or nil.
local function header_of(ns)
  local h = call('HMGET', H, STORED.header)
  if h[HEADER_ROW.id] then return h end
end
