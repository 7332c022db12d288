-- needs: item.lua
-- Takes items of a store out of its lists.
local function drop_listed(space, key)
  local listed = SPACES .. KEPT.listed .. space
  redis.call('ZREM', LAPSING, item_name(space, key))
  redis.call('ZREM', listed, key)
  if redis.call('EXISTS', listed) == 0 then redis.call('ZREM', SPACES, space) end
end

-- Takes out those that have lapsed, which Redis has removed by itself; some were read since.
local function drop_lapsed()
  local now = now_in(1e3)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', LAPSING, '-inf', now, 'LIMIT', 0, LIMIT.lapsed)) do
    local left = redis.call('PTTL', item_key(name))
    if left > 0 then
      redis.call('ZADD', LAPSING, now + left, name)
    else
      local size, rest = string.match(name, '^(%d+):(.*)$')
      drop_listed(string.sub(rest, 1, size), string.sub(rest, size + 1))
    end
  end
end
