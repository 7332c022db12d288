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

local function freeze()
  if call('HLEN', C) > LIMIT.frozen_fields then return end
  local text = text_of(call('HGETALL', C))
  if #text > LIMIT.frozen_bytes then return end
  call('UNLINK', C)
  call('SET', Z, text)
end

-- Whoever is about to write to C must call this first.
local function thaw()
  local text = call('GET', Z)
  if not text then return end
  call('UNLINK', Z)
  many('HSET', C, (list_at(text, 1)))
end

local function frozen_list()
  local text = call('GET', Z)
  return text and list_at(text, 1) or {}
end

-- The value of a field in such a text, without what stands around it; false when there is none.
local function value_in(text, field)
  local count, at = string.match(text, '^(%d+):()')
  for _ = 1, count, 2 do
    local length, first = string.match(text, '^(%d+):()', at)
    local size, value = string.match(text, '^(%d+):()', first + length)
    if string.sub(text, first, first + length - 1) == field then
      return string.sub(text, value, value + size - 1)
    end
    at = value + size
  end
  return false
end

-- A field of C, frozen or not; false when there is none.
local function cget(field)
  local value = call('HGET', C, field)
  if value then return value end
  local text = call('GET', Z)
  return text and value_in(text, field)
end

local function chas(field) return call('HEXISTS', C, field) == 1 or cget(field) ~= false end
