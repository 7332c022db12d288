-- needs: lib.lua frozen.lua
-- The header with the fields of one frame, HEADER_ROW, or nil.
local function header_of(ns)
  local h = call('HMGET', H, STORED.header)
  if not h[HEADER_ROW.id] then return end
  if ns ~= '' then
    h[HEADER_ROW.epoch], h[HEADER_ROW.checkpoint], h[HEADER_ROW.step] =
      unpack(call('HMGET', frame_key(ns), FRAME.epoch, FRAME.checkpoint, FRAME.step))
  end
  h[HEADER_ROW.about] = cget(FIELD.about)
  return h
end
