-- What jobs and clients read of a frame.
local INLINE_WRITES = 1048576

-- The channel blobs named by `refs`, as name, blob, name, blob...; false once `room` is used up.
local function channels(ns, refs, room)
  local out = {}
  for _, ref in ipairs(refs) do
    local field, value = 'v|' .. ns .. '|' .. ref, false
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

local function numbered(key, prefix, count)
  local fields = {}
  for n = 0, count - 1 do fields[#fields + 1] = prefix .. n end
  local out = {}
  for i = 1, count, 1000 do
    local slice = call('HMGET', key, unpack(fields, i, math.min(i + 999, count)))
    for _, value in ipairs(slice) do out[#out + 1] = value end
  end
  return out
end

-- The header with the fields of one frame, or nil.
local function header_of(ns)
  local h = call('HMGET', H, 'id', 'graph', 'fp', 'queue', 'st', 'run', 'modes', 'passed',
    'created', 'upd', ns .. '/ep', ns .. '/cp', ns .. '/step', ns .. '/stop', ns .. '/adv',
    ns .. '/nulls', 'ev')
  h[18] = cget('cfg')
  return h[1] and h
end

-- What a job has to know of its frame: head, null-task records, checkpoint, channels.
local function context(ns, reads, room)
  local h = call('HMGET', H, 'graph', 'fp', 'run', ns .. '/cp', ns .. '/step', ns .. '/stop', 'modes',
    'id', 'queue', 'passed', ns .. '/nulls')
  h[12] = call('SCARD', P .. 'a:' .. ns)
  local nulls = numbered(P .. 's:' .. ns, 'z|', tonumber(h[11] or 0))
  local c = call('HMGET', C, 'cfg', 'f|' .. ns, 'k|' .. ns .. '|' .. (h[4] or ''))
  if not reads then return {h, c[1], nulls, false, {}} end
  return {h, c[1], nulls, c[3], channels(ns, decode(c[2] or '[]'), room)}
end

-- The context and all writes; false in place of more than 1 MB of them (they are read in pieces).
local function advance(ns, room)
  local size = tonumber(call('HGET', P .. 's:' .. ns, 'wb') or 0)
  local writes = size <= INLINE_WRITES and call('HGETALL', P .. 'w:' .. ns)
  return {'advance', context(ns, true, room), writes}
end
