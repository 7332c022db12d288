-- needs: lib.lua slices.lua parts.lua
-- What is noted of a checkpoint's tasks, as a saver does: numbered records, and how many they are.
-- -> how many there were before
local function append_log(ns, cp, positions)
  local name, fields = FIELD.log .. ns .. '|' .. cp, {}
  local count = tonumber(call('HGET', C, name) or 0)
  for i, position in ipairs(positions) do
    fields[#fields + 1] = name .. '|' .. (count + i - 1)
    fields[#fields + 1] = blob(position)
  end
  fields[#fields + 1], fields[#fields + 2] = name, count + #positions
  many('HSET', C, fields)
  return count
end

-- What of a record stands in a new value of the checkpoint that follows too is kept there alone.
-- shared: SHARED; values: bytes by their names.
local function share_record(ns, cp, shared, values)
  local field = FIELD.log .. ns .. '|' .. cp .. '|' .. shared[SHARED.number]
  local record = call('HGET', C, field) or ''
  for _, span in ipairs(shared[SHARED.spans]) do
    local first, start, length = span[SPAN.first], span[SPAN.start], span[SPAN.length]
    local part = string.sub(values[span[SPAN.name]], start, start + length - 1)
    -- It is another one than the caller has noted.
    if string.sub(record, first, first + length - 1) ~= part then return end
  end
  call('HSET', C, field, without(record, shared[SHARED.spans]))
end

local function share_log(ns, cp, rows, channels)
  local values = {}
  for i = 1, #channels, 2 do values[channels[i]] = blob(channels[i + 1]) end
  for _, shared in ipairs(rows) do share_record(ns, cp, shared, values) end
end

-- At most `most` of its records go: nobody reads the others without their number, and they go with
-- the checkpoint. -> how many went
local function drop_log(ns, cp, most)
  local name, fields = FIELD.log .. ns .. '|' .. cp, {}
  local count = math.min(tonumber(call('HGET', C, name) or 0), most)
  for i = 0, count - 1 do fields[i + 1] = name .. '|' .. i end
  fields[#fields + 1] = name
  many('HDEL', C, fields)
  return count
end
