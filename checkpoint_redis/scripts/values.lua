-- needs: lib.lua format.lua frozen.lua
-- Values of fields of C: of the first ones, as many as fit into a reply, and at least one.
-- KEYS[1] header. ARGV[1] {fields} -> value | false per field
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local out, frozen, size = {}, {}, 0
local list = frozen_list() or {}
for i = 1, #list, 2 do frozen[list[i]] = list[i + 1] end
for i, field in ipairs(A.fields) do
  local value = frozen[field] or call('HGET', C, field)
  size = size + #(value or '')
  if i > 1 and size > LIMIT.inline_writes then break end
  out[i] = value
end
return out
