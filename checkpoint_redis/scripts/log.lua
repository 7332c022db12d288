-- needs: lib.lua slices.lua
-- What is noted of a checkpoint's tasks, as a saver does: numbered records, and how many they are.
local function append_log(ns, cp, positions)
  local name, fields = FIELD.log .. ns .. '|' .. cp, {}
  local count = tonumber(call('HGET', C, name) or 0)
  for i, position in ipairs(positions) do
    fields[#fields + 1] = name .. '|' .. (count + i - 1)
    fields[#fields + 1] = blob(position)
  end
  fields[#fields + 1], fields[#fields + 2] = name, count + #positions
  many('HSET', C, fields)
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
