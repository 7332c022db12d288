-- Stores fields of a thread of LangGraph's, all or none.
-- KEYS[1] fields, KEYS[2] index (langgraph/names.py). ARGV[1] for how many milliseconds the thread
-- stays from now on ('' = for ever); then HSET or HSETNX, a field, its value, again and again -> 1
for n = 2, #ARGV, 3 do
  local field = ARGV[n + 1]
  redis.call(ARGV[n], KEYS[1], field, ARGV[n + 2])
  local kind = string.sub(field, 1, 2)
  if kind == 'c/' or kind == 'w/' then redis.call('ZADD', KEYS[2], 0, field) end
end
if ARGV[1] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
return 1
