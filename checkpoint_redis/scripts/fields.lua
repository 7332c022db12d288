-- needs: lib.lua format.lua frozen.lua scan.lua
-- Names of some fields of C. KEYS[1] header. ARGV[1] {cursor, count} -> PART of names
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
-- A scan goes through the values too: of a C that is not long the names are taken alone.
if call('HLEN', C) <= LIMIT.named then
  local names = call('HKEYS', C)
  local frozen = frozen_list() or {}
  for i = 1, #frozen, 2 do names[#names + 1] = frozen[i] end
  return PART{cursor = '0', part = names}
end
local cursor, found = scan(C, A.cursor, A.count, LIMIT.inline_writes)
local names = {}
for i = 1, #found, 2 do names[#names + 1] = found[i] end
return PART{cursor = cursor, part = names}
