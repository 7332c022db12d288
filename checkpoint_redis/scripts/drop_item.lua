-- needs: item.lua unlisted.lua
-- Removes an item. KEYS[1] namespaces of the shard. ARGV[1] namespace, ARGV[2] key -> 1
redis.call('DEL', item_key(item_name(ARGV[1], ARGV[2])))
drop_listed(ARGV[1], ARGV[2])
return 1
