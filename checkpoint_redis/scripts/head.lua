-- needs: lib.lua frozen.lua
-- The header with the fields of one frame, or nil.
local function header_of(ns)
  local h = call('HMGET', H, STORED.header)
  if h[HEADER_ROW.id] then return HEADER_REPLY{header = h, config = cget(FIELD.config)} end
end
