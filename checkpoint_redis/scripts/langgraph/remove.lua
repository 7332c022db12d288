-- Removes checkpoints of a thread of LangGraph's, with their writes and the values that no other
-- one refers to. KEYS[1] fields, KEYS[2] index (langgraph/names.py). ARGV: names of checkpoints -> 1
local function drop(field)
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZREM', KEYS[2], field)
end

for _, name in ipairs(ARGV) do
  local first, last = '[w/' .. name .. '/', '(w/' .. name .. '0'
  for _, field in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], first, last)) do drop(field) end
  drop('c/' .. name)
  redis.call('HDEL', KEYS[1], 'r/' .. name)
end

local used = {}
for _, field in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[c/', '(c0')) do
  for value in string.gmatch(redis.call('HGET', KEYS[1], 'r/' .. string.sub(field, 3)), '%S+') do
    used[value] = true
  end
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'v/' and not used[field] then redis.call('HDEL', KEYS[1], field) end
end
return 1
