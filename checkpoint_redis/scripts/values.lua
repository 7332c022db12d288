-- needs: lib.lua frozen.lua
-- Values of fields of C. KEYS[1] header. ARGV[1] {fields} -> value | false per field
local out = call('HMGET', C, unpack(A.fields))
if call('EXISTS', C) == 1 then return out end
local at = {}
for i, field in ipairs(A.fields) do at[field] = i end
local list = frozen_list()
for i = 1, #list, 2 do
  if at[list[i]] then out[at[list[i]]] = list[i + 1] end
end
return out
