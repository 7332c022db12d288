-- needs: lib.lua frozen.lua
-- Those references whose channels are `wanted`, by name; false = all.
local function chosen(refs, wanted)
  if not wanted then return refs end
  local out = {}
  for _, ref in ipairs(refs) do
    local name = type(ref) == 'table' and ref[1] or ref
    if wanted[string.match(name, '^(.*)@')] then out[#out + 1] = ref end
  end
  return out
end

-- The channel blobs named by `refs`, as name, blob, name, blob...; false once `room` is used up.
-- Of a list in segments, {line, count}, all are named, and those at its end come first: whoever had
-- the list before has the others. The next one is named, with an empty value, where another fork
-- has gone on with the line.
local function channels(ns, refs, room)
  local out, fields = {}, FIELD.channel .. ns .. '|'
  local function add(name, value)
    out[#out + 1] = name
    out[#out + 1] = value
  end
  local function take(name)
    local size = call('HSTRLEN', C, fields .. name)
    if size > room then return false end
    room = room - size
    return cget(fields .. name)
  end
  local function take_segments(line, count)
    if cget(fields .. line .. (count + 1)) then add(line .. (count + 1), '') end
    local value = true
    for n = count, 1, -1 do
      value = value and take(line .. n)
      add(line .. n, value)
    end
  end
  for _, ref in ipairs(refs) do
    if type(ref) == 'table' then take_segments(ref[1] .. SEGMENT.separator, ref[2])
    else add(ref, take(ref)) end
  end
  return out
end
