-- What every script shares. KEYS[1] is the header key of a thread or the due key of a shard; all
-- other keys are built from it, under the same hash tag. ARGV[1] is one JSON object; it names
-- blobs by their position in ARGV (0 = none). A name in capitals with a point is a constant of
-- checkpoint_redis/layout, and is written into the text when a script is assembled.
local call, encode, decode = redis.call, cjson.encode, cjson.decode
local A = decode(ARGV[1])
local clock
-- Milliseconds since 1970, the same throughout a script.
local function now()
  if not clock then
    local time = call('TIME')
    clock = time[1] * 1e3 + math.floor(time[2] / 1e3)
  end
  return clock
end
local SHARD = string.match(KEYS[1], '^(.-{%d%d}:)')
-- The thread that is worked on: its hash, key prefix, header and checkpoint keys. What is longer
-- than 64 bytes stands in C, so that H stays in Redis' compact form.
local X, P, H, C, Z

local function thread(x)
  X, P = x, SHARD .. x .. ':'
  H, C, Z = P .. KEY.header, P .. KEY.checkpoints, P .. KEY.frozen
end

-- The key that has the fields of a frame, which scripts know by the hash of its name: those of the
-- root, '', stand in the header.
local function frame_key(ns) return ns == '' and H or P .. KEY.frame .. ns end

-- Some fields of the header, then some of a frame: of the root one command reads both.
local function header_and_frame(ns, of_thread, of_frame)
  local all = {unpack(of_thread)}
  for _, field in ipairs(of_frame) do all[#all + 1] = field end
  if ns == '' then return call('HMGET', H, unpack(all)) end
  local found = call('HMGET', H, unpack(of_thread))
  for i, value in ipairs(call('HMGET', frame_key(ns), unpack(of_frame))) do
    found[#of_thread + i] = value
  end
  return found
end

local own = string.sub(KEYS[1], #SHARD + 1)
if own ~= SHARD_KEY.due then thread(string.match(own, '^[^:]*')) end

local function blob(position) return ARGV[position] or '' end

local function blobs(positions)
  local out = {}
  for i, position in ipairs(positions) do out[i] = blob(position) end
  return out
end
