-- What jobs and clients read of a frame.
local INLINE_WRITES, INLINE_CHANNELS = 1048576, 65536

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

-- The header with the fields of one frame, or nil.
local function header_of(ns)
  local h = call('HMGET', H, 'id', 'graph', 'fp', 'queue', 'st', 'run', 'modes', 'released',
    'created', 'upd', ns .. '/ep', ns .. '/cp', ns .. '/step', ns .. '/stop', ns .. '/adv',
    ns .. '/caller_writes', 'ev')
  h[18] = cget('cfg')
  return h[1] and h
end

-- What a job has to know of its frame: head, config, caller writes, checkpoint, channels.
local function context(ns, reads)
  local h = call('HMGET', H, 'graph', 'fp', 'run', ns .. '/cp', ns .. '/step', ns .. '/stop', 'modes',
    'id', 'queue', 'released', ns .. '/caller_writes')
  h[12] = call('SCARD', P .. 'a:' .. ns)
  local written = open_caller_writes(ns, tonumber(h[11] or 0))
  local c = call('HMGET', C, 'cfg', 'f|' .. ns, 'k|' .. ns .. '|' .. (h[4] or ''))
  if not reads then return {h, c[1], written, false, {}} end
  return {h, c[1], written, c[3], channels(ns, decode(c[2] or '[]'), INLINE_CHANNELS)}
end

-- The context and all writes; false in place of more than 1 MB of them (they are read in pieces).
local function advance(ns)
  local size = tonumber(call('HGET', P .. 's:' .. ns, 'wb') or 0)
  local writes = size <= INLINE_WRITES and call('HGETALL', P .. 'w:' .. ns)
  return {'advance', context(ns, true), writes}
end
