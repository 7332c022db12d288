-- needs: item.lua unlisted.lua
-- A page of namespaces in which something is kept, of a shard. KEYS[1] its namespaces. ARGV[1],
-- ARGV[2] bounds of their names -> names
drop_lapsed()
return spaces_in(ARGV[1], ARGV[2], LIMIT.kept_names)
