-- What every script shares. KEYS[1] is the header key of a thread or the due key of a shard; all
-- other keys are built from it, under the same hash tag. ARGV[1] is one JSON object; it names
-- blobs by their position in ARGV (0 = none).
local call, encode, decode = redis.call, cjson.encode, cjson.decode
local A = decode(ARGV[1])
local clock
-- Milliseconds since 1970, the same throughout a script.
local function now()
  if not clock then
    local time = call('TIME')
    clock = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return clock
end
local SHARD = string.match(KEYS[1], '^(.-{%d%d}:)')
-- The thread that is worked on: its hash, key prefix, header and checkpoint keys. What is longer
-- than 64 bytes stands in C, so that H stays in Redis' compact form.
local X, P, H, C, Z

local function thread(x)
  X = x
  P = SHARD .. x .. ':'
  H = P .. 'h'
  C, Z = P .. 'c', P .. 'z'
end
local own = string.sub(KEYS[1], #SHARD + 1)
if own ~= 'due' then thread(string.sub(own, 1, -3)) end

local function blob(position) return ARGV[position] or '' end

-- unpack fails near 8,000 items, so long lists go in slices.
local function many(command, key, list)
  for i = 1, #list, 1000 do call(command, key, unpack(list, i, math.min(i + 999, #list))) end
end

local BUSY = {busy = true}
local BUSY_OR_ERROR = {busy = true, error = true}

-- The frame when `ep` is its open superstep and the thread may be written to, else nil. Without
-- it a worker of a committed, cancelled or rolled back superstep would still write (flaw F3).
local function fence(ns, ep, allowed)
  local f = call('HMGET', H, 'st', ns .. '/ep', ns .. '/adv', ns .. '/advtok', 'graph', 'fp')
  if not f[1] or not allowed[f[1]] or f[2] ~= ep then return nil end
  return {st = f[1], adv = f[3] or '', advtok = f[4] or '', graph = f[5], fp = f[6]}
end
