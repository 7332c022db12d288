-- needs: lib.lua pack.lua
-- Whether what the frame has open belongs to what is open around it: it goes on once its task is parked
-- again, although an epoch was renewed since.
local function is_held(ns)
  while ns ~= '' do
    local parent = call('HGET', frame_key(ns), FRAME.parent)
    if not parent or not field_of(parent, KEY.inner, ns) then return false end
    ns = parent
  end
  return true
end
