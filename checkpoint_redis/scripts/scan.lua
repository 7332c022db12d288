-- needs: lib.lua
-- A slice of a hash from a cursor on, as fields and values: it ends behind the field with which there are
-- `most` fields, or more than `room` bytes. How large a value is nobody knows before, and it may be larger
-- than what a script may touch, so that they are taken one by one.
-- -> the next cursor, '0' = that was all, and the slice
local function scan(key, cursor, most, room)
  local out, found = {}, nil
  repeat
    cursor, found = unpack(call('HSCAN', key, cursor, 'COUNT', 1))
    for _, item in ipairs(found) do
      out[#out + 1] = item
      room = room - #item
    end
  until cursor == '0' or room < 0 or #out >= 2 * most
  return cursor, out
end
