-- needs: lib.lua frozen.lua
-- Those references whose channels are `wanted`, by name; false = all.
local function chosen(refs, wanted)
  if not wanted then return refs end
  local out = {}
  for _, ref in ipairs(refs) do
    if wanted[string.match(ref, '^(.*)@')] then out[#out + 1] = ref end
  end
  return out
end

-- The channel blobs named by `refs`, as name, blob, name, blob...; false once `room` is used up.
local function channels(ns, refs, room)
  local out = {}
  for _, ref in ipairs(refs) do
    local field, value = FIELD.channel .. ns .. '|' .. ref, false
    local size = call('HSTRLEN', C, field)
    if size <= room then
      room = room - size
      value = cget(field)
    end
    out[#out + 1] = ref
    out[#out + 1] = value
  end
  return out
end
