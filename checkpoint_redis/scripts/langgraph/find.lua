-- Reads checkpoints of a thread of LangGraph's, with their values and writes.
-- KEYS[1] fields, KEYS[2] index (langgraph/names.py). ARGV: names of checkpoints, "<ns>/<id>", or
-- "<ns>/" for the latest of a frame -> for each that is there {name, record, {field of a value},
-- {value or nothing}, {write}}
local function held(fields)
  local found = {}
  for first = 1, #fields, 1000 do
    local last = math.min(first + 999, #fields)
    for n, value in ipairs(redis.call('HMGET', KEYS[1], unpack(fields, first, last))) do
      found[first + n - 1] = value
    end
  end
  return found
end

-- What the index has below a name that ends with a slash; 0 comes after that.
local function below(name)
  return redis.call('ZRANGEBYLEX', KEYS[2], '[' .. name, '(' .. string.sub(name, 1, -2) .. '0')
end

local function latest(ns)
  local last, first = '(c/' .. string.sub(ns, 1, -2) .. '0', '[c/' .. ns
  local found = redis.call('ZREVRANGEBYLEX', KEYS[2], last, first, 'LIMIT', 0, 1)[1]
  return found and string.sub(found, 3)
end

local replies = {}
for _, asked in ipairs(ARGV) do
  local name = string.sub(asked, -1) == '/' and latest(asked) or asked
  local record = redis.call('HGET', KEYS[1], 'c/' .. name)
  if record then
    local fields = {}
    for field in string.gmatch(redis.call('HGET', KEYS[1], 'r/' .. name), '%S+') do
      fields[#fields + 1] = field
    end
    local writes = held(below('w/' .. name .. '/'))
    replies[#replies + 1] = {name, record, fields, held(fields), writes}
  end
end
return replies
