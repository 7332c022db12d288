-- include: lib.lua frozen.lua
-- Names of some fields of C that begin with a prefix. KEYS[1] header. ARGV[1] {cursor, prefix, count}
-- -> {cursor, names}
local out = {}
local function take(list)
  for i = 1, #list, 2 do
    if string.sub(list[i], 1, #A.prefix) == A.prefix then out[#out + 1] = list[i] end
  end
end
local part = call('HSCAN', C, A.cursor, 'COUNT', A.count)
take(part[2])
if part[1] == '0' then take(frozen_list()) end
return {part[1], out}
