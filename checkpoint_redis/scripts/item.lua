-- What the scripts of a store share. KEYS[1] the key of the namespaces of a shard, before which no
-- other one is built; all have its hash tag. An item is named by the length of its namespace, that,
-- and its key.
local SPACES = KEYS[1]
local LAPSING = SPACES .. KEPT.due

local function item_name(space, key) return #space .. ':' .. space .. key end

local function item_key(name) return SPACES .. KEPT.item .. name end

local function now_in(unit)
  local time = redis.call('TIME')
  return math.floor((time[1] * 1e6 + time[2]) / unit)
end

-- So many names of namespaces between two bounds.
local function spaces_in(from, to, most)
  return redis.call('ZRANGEBYLEX', SPACES, from, to, 'LIMIT', 0, most)
end
