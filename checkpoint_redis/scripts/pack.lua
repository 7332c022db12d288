-- A small superstep at rest is one text beside the checkpoints, s|<ns>: its three keys would cost
-- more than what is in them. The text holds the tasks' ids, then s, w and u as lists of fields and
-- values, in which an id is named by its number.
local KINDS, PACKED_FIELDS, PACKED_BYTES = {'s:', 'w:', 'u:'}, 64, 65536

-- The fields of a list with the ids in them replaced by `names`; a field is <id> or <x>|<id>...
local function renamed(list, names)
  for i = 1, #list, 2 do
    local kind, id, rest = string.match(list[i], '^(%a|)([^|]+)(.*)$')
    if kind then list[i] = kind .. (names[id] or id) .. rest else list[i] = names[list[i]] or list[i] end
  end
  return list
end

local function pack_step(ns)
  local size = 0
  for _, kind in ipairs(KINDS) do size = size + call('HLEN', P .. kind .. ns) end
  if size == 0 or size > PACKED_FIELDS then return end
  local lists, ids, numbers = {}, {}, {}
  for i, kind in ipairs(KINDS) do lists[i] = call('HGETALL', P .. kind .. ns) end
  for i = 1, #lists[1], 2 do
    local id = string.match(lists[1][i], '^t|(.*)$')
    if id then
      ids[#ids + 1] = id
      numbers[id] = '#' .. #ids
    end
  end
  local texts = {text_of(ids)}
  for i, list in ipairs(lists) do texts[i + 1] = text_of(renamed(list, numbers)) end
  local text = table.concat(texts)
  if #text > PACKED_BYTES then return end
  call('UNLINK', P .. 's:' .. ns, P .. 'w:' .. ns, P .. 'u:' .. ns)
  call('HSET', C, 's|' .. ns, text)
end

-- {[kind] = fields and values} of a packed superstep, or nil.
local function packed(ns)
  local text = cget('s|' .. ns)
  if not text then return nil end
  local ids, at = list_at(text, 1)
  local names, out = {}, {}
  for i, id in ipairs(ids) do names['#' .. i] = id end
  for _, kind in ipairs(KINDS) do
    local list
    list, at = list_at(text, at)
    out[kind] = renamed(list, names)
  end
  return out
end

local function restore_step(ns)
  for kind, list in pairs(packed(ns) or {}) do many('HSET', P .. kind .. ns, list) end
  call('HDEL', C, 's|' .. ns)
end

-- Fields and values of s, w or u of a frame, packed or not.
local function fields_of(ns, kind)
  local all = packed(ns)
  if all then return all[kind] end
  return call('HGETALL', P .. kind .. ns)
end

local function is_open(ns)
  return call('EXISTS', P .. 's:' .. ns) == 1 or cget('s|' .. ns) ~= false
end
