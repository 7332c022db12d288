-- needs: lib.lua frozen.lua scan.lua
-- A small superstep at rest is one text beside the checkpoints, s|<ns>: its keys would cost
-- more than what is in them. The text holds the tasks' ids, then the fields and values of each key,
-- in which an id of a task is named by its number.
local PARTS = {KEY.tasks, KEY.writes, KEY.questions, KEY.inner, KEY.sent}
-- Which one was read last, and its parts.
local packed_at, parts

-- The fields of a list with the ids in them replaced by `names`; a field is <id> or <x>|<id>...
local function renamed(list, names)
  for i = 1, #list, 2 do
    local kind, id, rest = string.match(list[i], '^(%a|)([^|]+)(.*)$')
    if kind == TASK_FIELD.interrupt then
      local ns, tid = string.match(list[i + 1], '^(.-)|(.*)$')
      list[i + 1] = ns .. '|' .. (names[tid] or tid)
    elseif kind then list[i] = kind .. (names[id] or id) .. rest
    else list[i] = names[list[i]] or list[i] end
  end
  return list
end

-- How many fields a superstep has that is not packed, and the keys that have some.
local function size_of_step(ns)
  local size, keys = 0, {}
  for i, part in ipairs(PARTS) do
    local key = P .. part .. ns
    local fields = call('HLEN', key)
    if fields > 0 then keys[i] = key end
    size = size + fields
  end
  return size, keys
end

local function pack_step(ns)
  local size, keys = size_of_step(ns)
  if size > LIMIT.packed_fields then return end
  local used, lists, ids, numbers, _ = {}, {}, {}, {}, nil
  for i in ipairs(PARTS) do
    lists[i] = {}
    if keys[i] then
      used[#used + 1] = keys[i]
      -- What does not come with this is too much for the text.
      _, lists[i] = scan(keys[i], '0', size + 1, LIMIT.packed_bytes)
    end
  end
  for i = 1, #lists[1], 2 do
    local id = string.match(lists[1][i], '^' .. TASK_FIELD.record .. '(.*)$')
    if id then
      ids[#ids + 1] = id
      numbers[id] = '#' .. #ids
    end
  end
  local texts = {text_of(ids)}
  for i, list in ipairs(lists) do texts[i + 1] = text_of(renamed(list, numbers)) end
  local text = table.concat(texts)
  if #text > LIMIT.packed_bytes then return end
  if #used > 0 then call('UNLINK', unpack(used)) end
  call('HSET', C, FIELD.packed .. ns, text)
  packed_at = nil
end

local function unpacked(text)
  local ids, at = list_at(text, 1)
  local names, out = {}, {}
  for i, id in ipairs(ids) do names['#' .. i] = id end
  for _, part in ipairs(PARTS) do
    local list
    list, at = list_at(text, at)
    out[part] = renamed(list, names)
  end
  return out
end

-- {[part] = fields and values} of a packed superstep, read once, or nil.
local function packed(ns)
  if packed_at ~= C .. ns then
    local text = cget(FIELD.packed .. ns)
    packed_at, parts = C .. ns, text and unpacked(text) or nil
  end
  return parts
end

-- It has its keys again, or is given up.
local function forget_packed(ns)
  call('HDEL', C, FIELD.packed .. ns)
  packed_at = nil
end

-- Fields and values of a part of a superstep, packed or not.
local function fields_of(ns, part)
  local all = packed(ns)
  if all then return all[part] end
  return call('HGETALL', P .. part .. ns)
end

-- The value of a field of a part, or nil.
local function field_of(ns, part, field)
  local all = packed(ns)
  if not all then return call('HGET', P .. part .. ns, field) end
  for i = 1, #all[part], 2 do
    if all[part][i] == field then return all[part][i + 1] end
  end
end

-- Some of a part's fields and values: all of a packed one, else about LIMIT.slice of them.
local function some_fields_of(ns, part)
  local all = packed(ns)
  if all then return all[part] end
  return call('HSCAN', P .. part .. ns, '0', 'COUNT', LIMIT.slice)[2]
end
