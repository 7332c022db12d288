-- Names the format of a namespace, the first time. KEYS[1] meta key.
-- ARGV[1] format version, ARGV[2] number of shards, ARGV[3] installation id -> {version, shards, id}
-- Nothing is written when it is there: it must also be readable on a full Redis.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], META.version, ARGV[1], META.shards, ARGV[2], META.id, ARGV[3])
end
return redis.call('HMGET', KEYS[1], META.version, META.shards, META.id)
