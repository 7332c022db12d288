-- needs: item.lua
-- Reads an item. KEYS[1] namespaces of the shard. ARGV[1] namespace, ARGV[2] key, ARGV[3] whether its
-- time begins anew ('' = not) -> {value, created, updated}, nil
local item = item_key(item_name(ARGV[1], ARGV[2]))
local found = redis.call('HMGET', item, KEPT_FIELD.content, KEPT_FIELD.created, KEPT_FIELD.updated,
  KEPT_FIELD.ttl)
if not found[1] then return nil end
local ttl = table.remove(found)
if ARGV[3] ~= '' and ttl ~= '' then redis.call('PEXPIRE', item, ttl) end
return found
