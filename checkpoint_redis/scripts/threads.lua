-- needs: lib.lua frozen.lua
-- Threads that are in each of some sets of the shard, the last changed first. KEYS[1] due key of the
-- shard. ARGV[1] {sets, after, limit}; after: the place, <updated>-<x>, behind which they are ('' = all)
-- -> PART of LISTED; cursor: the place of the last one that was looked at ('' = that were all)
local function set(name) return SHARD .. SHARD_KEY.found .. name end

-- The smallest one is walked over.
local walked, size
for _, name in ipairs(A.sets) do
  local count = call('ZCARD', set(name))
  if not size or count < size then walked, size = name, count end
end

local function is_in_all()
  for _, name in ipairs(A.sets) do
    if name ~= walked and not call('ZSCORE', set(name), X) then return false end
  end
  return true
end

local at, after = string.match(A.after, '^(%d+)%-(.*)$')
local function is_behind(updated) return updated ~= at or X < after end

local function row()
  local id, graph, run, st, created, updated = unpack(call('HMGET', H, HEADER.id, HEADER.graph,
    HEADER.run, HEADER.status, HEADER.created, HEADER.updated))
  -- Its keys were removed by hand.
  if not id then return nil end
  return LISTED{x = X, id = id, graph = graph, run = run, status = st, created = created,
    updated = updated, about = cget(FIELD.about)}
end

-- Those that changed in the same millisecond come again, and do not count.
local most = LIMIT.listed + (at and call('ZCOUNT', set(walked), at, at) or 0)
local found = call('ZREVRANGEBYSCORE', set(walked), at or '+inf', '-inf', 'WITHSCORES', 'LIMIT', 0, most)
local out, place, bytes = {}, '', 0
for i = 1, #found, 2 do
  thread(found[i])
  if is_behind(found[i + 1]) and is_in_all() then
    local listed = row()
    out[#out + 1] = listed
    bytes = bytes + #(listed and listed[LISTED.about] or '')
  end
  place = found[i + 1] .. '-' .. X
  if #out == A.limit or bytes > LIMIT.inline_writes then return PART{cursor = place, part = out} end
end
return PART{cursor = #found == 2 * most and place or '', part = out}
