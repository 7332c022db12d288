-- needs: lib.lua format.lua frozen.lua
-- Values of fields of C. KEYS[1] header. ARGV[1] {fields} -> value | false per field
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local out = call('HMGET', C, unpack(A.fields))
local at, list = {}, frozen_list()
for i, field in ipairs(A.fields) do at[field] = i end
for i = 1, #list, 2 do
  if at[list[i]] then out[at[list[i]]] = list[i + 1] end
end
return out
