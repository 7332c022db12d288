-- needs: item.lua unlisted.lua
-- Keeps an item. KEYS[1] namespaces of the shard. ARGV[1] namespace, ARGV[2] key, ARGV[3] value,
-- ARGV[4] vectors ('' = none), ARGV[5] for how many ms ('' = for ever) -> 1
local space, key, ttl = ARGV[1], ARGV[2], ARGV[5]
local name = item_name(space, key)
local item, listed = item_key(name), SPACES .. KEPT.listed .. space
local at = string.format('%.0f', now_in(1))
local created = redis.call('HGET', item, KEPT_FIELD.created)
-- What Redis may refuse for want of memory comes first.
redis.call('HSET', item, KEPT_FIELD.content, ARGV[3], KEPT_FIELD.created, created or at,
  KEPT_FIELD.updated, at, KEPT_FIELD.vectors, ARGV[4], KEPT_FIELD.ttl, ttl)
drop_lapsed()
if ttl == '' then
  redis.call('PERSIST', item)
  redis.call('ZREM', LAPSING, name)
else
  redis.call('PEXPIRE', item, ttl)
  redis.call('ZADD', LAPSING, now_in(1e3) + ttl, name)
end
if not created then
  local last = redis.call('ZREVRANGE', listed, 0, 0, 'WITHSCORES')[2] or 0
  redis.call('ZADD', listed, last + 1, key)
  redis.call('ZADD', SPACES, 0, space)
end
return 1
