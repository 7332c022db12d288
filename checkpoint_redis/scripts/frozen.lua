-- needs: lib.lua slices.lua
-- The small C of a waiting thread is one text, Z: a list of fields and values, in which the list
-- and each item begin with their length. As a hash it would take twice as much.
local function text_of(list)
  local out = {#list .. ':'}
  for i, item in ipairs(list) do out[i + 1] = #item .. ':' .. item end
  return table.concat(out)
end

local function list_at(text, at)
  local function number()
    local colon = string.find(text, ':', at, true)
    local n = tonumber(string.sub(text, at, colon - 1))
    at = colon + 1
    return n
  end
  local out = {}
  for i = 1, number() do
    local length = number()
    out[i] = string.sub(text, at, at + length - 1)
    at = at + length
  end
  return out, at
end

-- What each Z holds is read once, since a script asks for many fields of it.
local known = {}

local function frozen_list()
  if not known[Z] then
    local text = call('GET', Z)
    known[Z] = text and list_at(text, 1) or {}
  end
  return known[Z]
end

local function freeze()
  if call('HLEN', C) > LIMIT.frozen_fields then return end
  local list = call('HGETALL', C)
  local text = text_of(list)
  if #text > LIMIT.frozen_bytes then return end
  call('UNLINK', C)
  call('SET', Z, text)
  known[Z] = list
end

-- Whoever is about to write to C must call this first.
local function thaw()
  local list = frozen_list()
  if #list == 0 then return end
  call('UNLINK', Z)
  known[Z] = {}
  many('HSET', C, list)
end

-- A field of C, frozen or not; false when there is none.
local function cget(field)
  local value = call('HGET', C, field)
  if value then return value end
  local list = frozen_list()
  for i = 1, #list, 2 do
    if list[i] == field then return list[i + 1] end
  end
  return false
end
