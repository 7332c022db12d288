-- needs: lib.lua format.lua frozen.lua listing.lua
-- A page of a frame's checkpoints, newest first. KEYS[1] header.
-- ARGV[1] {ns, before, count}; before '' = from the newest on -> id...
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local prefix, out = A.ns .. '|', {}

local function listed()
  local newest = A.before == '' and A.ns .. '}' or prefix .. A.before
  return call('ZREVRANGEBYLEX', P .. KEY.listing, '(' .. newest, '[' .. prefix, 'LIMIT', 0, A.count)
end

local function sorted()
  local fields, found = call('HKEYS', C), {}
  local list = frozen_list() or {}
  for i = 1, #list, 2 do fields[#fields + 1] = list[i] end
  for _, field in ipairs(fields) do
    local name = unlisted(field)
    local mine = name and string.sub(name, 1, #prefix) == prefix
    if mine and (A.before == '' or name < prefix .. A.before) then found[#found + 1] = name end
  end
  table.sort(found, function(a, b) return a > b end)
  return found
end

local names = call('EXISTS', P .. KEY.listing) == 1 and listed() or sorted()
for i = 1, math.min(#names, A.count) do out[i] = string.sub(names[i], #prefix + 1) end
return out
