-- needs: lib.lua slices.lua frozen.lua
-- Packets, the arguments of Sends: each stands in one place, whoever refers to it. Those of a small
-- bundle are fields of C; those of a larger one have a key, j:<bundle>, where they are numbered.
--
-- Staged    What is too much for one script is stored beforehand, in slices, and lapses after ten
--           minutes unless it is kept.
-- Kept      They come with the checkpoint, or the result, that refers to them.
-- Sent      While the superstep is open p:<ns> counts those of its results. When it is committed
--           the next checkpoint refers to all of them; when it is dropped they go.
-- Dropped   What many tasks sent goes bundle by bundle in the looks of sweeps: a script must stay short.
--           So does what removed checkpoints referred to: who removes them looks as well, and may die.
-- Gone      They go with the last checkpoint that refers to them, which only who reads them knows.
local function is_apart(bundle) return string.sub(bundle, 1, 1) == PACKET.apart end

local function packet(ns, name)
  if not is_apart(name) then return cget(FIELD.packet .. ns .. '|' .. name) end
  local bundle, number = string.match(name, '^(.*)%' .. PACKET.separator .. '(%d+)$')
  return call('HGET', P .. KEY.bundle .. bundle, number)
end

-- Whether what was staged of PACKETS rows is still there, all of it.
local function all_staged(rows)
  for _, row in ipairs(rows) do
    local key = P .. KEY.bundle .. row[PACKETS.bundle]
    if row[PACKETS.first] == 0 and call('HLEN', key) ~= row[PACKETS.size] then return false end
  end
  return true
end

-- Fields for what comes with the script, and their values.
local function packet_fields(row, prefix)
  local fields = {}
  for n = 0, row[PACKETS.size] - 1 do
    fields[2 * n + 1], fields[2 * n + 2] = prefix .. n, ARGV[row[PACKETS.first] + n]
  end
  return fields
end

local function keep_packets(ns, rows)
  for _, row in ipairs(rows) do
    local bundle = row[PACKETS.bundle]
    local key = P .. KEY.bundle .. bundle
    if not is_apart(bundle) then
      local prefix = FIELD.packet .. ns .. '|' .. bundle .. PACKET.separator
      many('HSET', C, packet_fields(row, prefix))
    elseif row[PACKETS.first] > 0 then many('HSET', key, packet_fields(row, ''))
    else call('PERSIST', key) end
    if is_apart(bundle) then call('SADD', P .. KEY.bundles, bundle) end
  end
end

-- Of the results of an open superstep: it is known what goes with it.
local function keep_sent(ns, rows)
  keep_packets(ns, rows)
  for _, row in ipairs(rows) do
    call('HSET', P .. KEY.sent .. ns, row[PACKETS.bundle], row[PACKETS.size])
  end
end

local function remove_bundles(bundles)
  for _, bundle in ipairs(bundles) do
    call('UNLINK', P .. KEY.bundle .. bundle)
    call('SREM', P .. KEY.bundles, bundle)
  end
end

-- sent: bundles and their sizes, as p:<ns> has them.
local function remove_sent(ns, sent)
  for i = 1, #sent, 2 do
    local bundle, fields = sent[i], {}
    if is_apart(bundle) then remove_bundles({bundle})
    else
      local prefix = FIELD.packet .. ns .. '|' .. bundle .. PACKET.separator
      for n = 0, sent[i + 1] - 1 do fields[n + 1] = prefix .. n end
      many('HDEL', C, fields)
    end
  end
end

-- What stands under a name, <ns>.<nonce>, goes in looks of sweeps, or of who put it there.
local function put_aside(name)
  local ns = string.match(name, '^[^.]*')
  call('PERSIST', P .. KEY.dropped .. name)
  call('SADD', P .. KEY.unsent, name)
  call('ZADD', SHARD .. SHARD_KEY.due, now(), X .. '|' .. ns .. '|' .. name .. '|' .. DUE.unsent)
end

-- -> whether what the superstep's tasks sent was put aside, since it is too much for one script
local function set_sent_aside(ns)
  local key = P .. KEY.sent .. ns
  if call('HLEN', key) <= LIMIT.bundles then return false end
  local name = ns .. '.' .. call('HGET', frame_key(ns), FRAME.epoch)
  call('RENAME', key, P .. KEY.dropped .. name)
  put_aside(name)
  return true
end

-- Of what was put aside under a name. -> whether that was all
local function remove_some_sent(ns, name)
  local key, waits = P .. KEY.dropped .. name, call('EXISTS', Z) == 1
  thaw()
  -- A scan from the beginning would find nothing there once many are gone.
  local some = call('HRANDFIELD', key, LIMIT.bundles, 'WITHVALUES')
  remove_sent(ns, some)
  for i = 1, #some, 2 do call('HDEL', key, some[i]) end
  if waits then freeze() end
  if call('EXISTS', key) == 1 then return false end
  call('SREM', P .. KEY.unsent, name)
  return true
end
