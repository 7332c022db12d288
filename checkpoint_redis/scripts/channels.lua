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
-- A list in segments, {line, count, check}, comes from its end: as far as there is room, and to the last
-- segment that the caller has `known`, by its line, if he can tell by the check that it is this one. The
-- next one is named, with an empty value, where another fork has gone on with the line.
-- -> that, and line, count, check, line...
local function channels(ns, refs, room, known)
  local out, lines, fields = {}, {}, FIELD.channel .. ns .. '|'
  local function add(list, name, value)
    list[#list + 1] = name
    list[#list + 1] = value
  end
  local function take(name)
    local size = call('HSTRLEN', C, fields .. name)
    if size > room then return false end
    room = room - size
    return cget(fields .. name)
  end
  local function take_segments(line, count, check)
    local prefix, first = line .. SEGMENT.separator, check ~= '' and known[line] or 0
    add(lines, line, count)
    lines[#lines + 1] = check
    local behind = prefix .. (count + 1)
    if chas(fields .. behind) then add(out, behind, '') end
    for n = count, first + 1, -1 do
      local value = take(prefix .. n)
      if not value then return end
      add(out, prefix .. n, value)
    end
  end
  for _, ref in ipairs(refs) do
    if type(ref) == 'table' then take_segments(unpack(ref))
    else add(out, ref, take(ref)) end
  end
  return out, lines
end
