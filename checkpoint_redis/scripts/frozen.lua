-- needs: lib.lua slices.lua
-- The small C of a waiting thread is one text, Z: a list of fields and values, in which the list
-- and each item begin with their length. As a hash it would take twice as much.
local function text_of(list)
  local out = {#list .. ':'}
  for i, item in ipairs(list) do out[i + 1] = #item .. ':' .. item end
  return table.concat(out)
end

local function list_at(text, at)
  local out, length, count = {}, nil, nil
  count, at = string.match(text, '^(%d+):()', at)
  for i = 1, count do
    length, at = string.match(text, '^(%d+):()', at)
    out[i] = string.sub(text, at, at + length - 1)
    at = at + length
  end
  return out, at
end

-- What was read last: the Z that it stands in, and its fields and values.
local held_at, held

-- Fields and values of a frozen C, read once; nil of another one.
local function frozen_list()
  if held_at ~= Z then
    local text = call('GET', Z)
    held_at, held = Z, text and (list_at(text, 1)) or nil
  end
  return held
end

local function freeze()
  if call('HLEN', C) > LIMIT.frozen_fields then return end
  local text = text_of(call('HGETALL', C))
  if #text > LIMIT.frozen_bytes then return end
  call('UNLINK', C)
  call('SET', Z, text)
  held_at = nil
end

-- Whoever is about to write to C must call this first.
local function thaw()
  local list = frozen_list()
  if not list then return end
  call('UNLINK', Z)
  many('HSET', C, list)
  held_at = nil
end

-- A field of C, frozen or not; false when there is none.
local function cget(field)
  local value = call('HGET', C, field)
  if value then return value end
  local list = frozen_list() or {}
  for i = 1, #list, 2 do
    if list[i] == field then return list[i + 1] end
  end
  return false
end

local function chas(field) return call('HEXISTS', C, field) == 1 or cget(field) ~= false end
