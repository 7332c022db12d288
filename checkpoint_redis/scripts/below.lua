-- needs: item.lua
-- A page of the items below a namespace. KEYS[1] namespaces of the shard. ARGV[1], ARGV[2] bounds of
-- the names below it; ARGV[3] namespace and ARGV[4] place in it of the last item that was looked at
-- ('' = none yet), ARGV[5] how many are wanted, ARGV[6] '' or the field of vectors
-- -> {namespace, place ('' = that were all), {namespace, key, value, created, updated, ttl, vectors,
-- ...}}
local to, space, place = ARGV[2], ARGV[3], ARGV[4]
local out, looked, bytes = {}, 0, 0
local wanted = tonumber(ARGV[5])
local fields = {KEPT_FIELD.content, KEPT_FIELD.created, KEPT_FIELD.updated, KEPT_FIELD.ttl}
if ARGV[6] ~= '' then fields[#fields + 1] = ARGV[6] end

local function add(key)
  local found = redis.call('HMGET', item_key(item_name(space, key)), unpack(fields))
  looked = looked + 1
  if not found[1] then return end -- it has lapsed
  out[#out + 1] = {space, key, unpack(found)}
  bytes = bytes + #found[1] + #(found[5] or '')
end

local function is_full()
  return #out >= wanted or looked >= LIMIT.kept_looked or bytes >= LIMIT.kept_bytes
end

if space == '' then space = spaces_in(ARGV[1], to, 1)[1] end
while space do
  local from = place == '' and '-inf' or '(' .. place
  local keys = redis.call('ZRANGEBYSCORE', SPACES .. KEPT.listed .. space, from, '+inf',
    'WITHSCORES', 'LIMIT', 0, LIMIT.kept_looked - looked)
  for i = 1, #keys, 2 do
    add(keys[i])
    if is_full() then return {space, keys[i + 1], out} end
  end
  space, place = spaces_in('(' .. space, to, 1)[1], ''
end
return {'', '', out}
