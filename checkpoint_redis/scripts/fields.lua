-- needs: lib.lua format.lua frozen.lua
-- Names of some fields of C. KEYS[1] header. ARGV[1] {cursor, count} -> PART of names
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local out = {}
local function take(list)
  for i = 1, #list, 2 do out[#out + 1] = list[i] end
end
local cursor, found = unpack(call('HSCAN', C, A.cursor, 'COUNT', A.count))
take(found)
if cursor == '0' then take(frozen_list()) end
return PART{cursor = cursor, part = out}
