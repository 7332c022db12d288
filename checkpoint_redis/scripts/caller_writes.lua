-- needs: lib.lua format.lua slices.lua frozen.lua
-- What callers wrote at a checkpoint: the update and the gotos of a Command that came with a start
-- or an answer, one record per call. This page has all of it.
--
-- Written   A start brings them with the superstep that it opens, an answer adds them to the one
--           that is open.
-- Open      While the superstep is open they stand with its tasks, z|<number> of s:<ns>; the
--           header counts them. A claim and an advance hand all of them out, since tasks see the
--           state with them; whoever commits has applied them.
-- Kept      When the superstep is dropped, they go beside the checkpoint from which it ran,
--           z|<ns>|<checkpoint> of C: its values are not seen without them, and they were accepted
--           from a caller, so that they outlive a superstep that is cancelled. Where no superstep
--           follows the start, they go there at once.
-- Followed  is the mark before them when the superstep was committed: their gotos have been
--           followed, and readers leave these out. Else the mark is open.
-- Taken up  A start that goes on from the checkpoint puts those that are kept before its own.
-- Gone      They go with their checkpoint, and into the log that a saver makes of it.
--
-- Readers ask load.lua, which has the open ones among the fields of the superstep and the kept ones
-- by themselves, or read the kept ones of many checkpoints with values.lua.

local function caller_write_count(ns)
  return tonumber(call('HGET', frame_key(ns), FRAME.caller_writes) or 0)
end

-- The `count` of the open superstep; `at_rest`: the fields of its s when it is packed, else nil.
local function open_caller_writes(ns, count, at_rest)
  if not at_rest then return numbered(P .. KEY.tasks .. ns, TASK_FIELD.caller_write, 0, count) end
  local out = {}
  for i = 1, #at_rest, 2 do
    local n = string.match(at_rest[i], '^' .. TASK_FIELD.caller_write .. '(%d+)$')
    if n then out[n + 1] = at_rest[i + 1] end
  end
  return out
end

local function add_caller_writes(ns, list)
  if #list == 0 then return end
  local count = caller_write_count(ns)
  for i, record in ipairs(list) do
    call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.caller_write .. (count + i - 1), record)
  end
  call('HSET', frame_key(ns), FRAME.caller_writes, count + #list)
end

-- The field of C that keeps those of the head.
local function caller_writes_field(ns)
  return FIELD.caller_writes .. ns .. '|' .. (call('HGET', frame_key(ns), FRAME.checkpoint) or '')
end

local function keep_caller_writes(ns, list, mark)
  if #list == 0 then return end
  table.insert(list, 1, mark)
  call('HSET', C, caller_writes_field(ns), text_of(list))
end

-- Those of the superstep that was just dropped.
local function keep_dropped_caller_writes(ns, list, committed)
  keep_caller_writes(ns, list, committed and MARK.followed or MARK.open)
  if #list > 0 then call('HDEL', frame_key(ns), FRAME.caller_writes) end
end

local function take_up_caller_writes(ns)
  local text = cget(caller_writes_field(ns))
  local list = text and (list_at(text, 1)) or {}
  table.remove(list, 1)
  return list
end

-- Of the superstep s, which is being opened: to its tasks, or beside the head when it has none.
local function place_caller_writes(ns, s)
  local list = #s.checkpoints == 0 and take_up_caller_writes(ns) or {}
  if #s.caller_writes > 0 then note_form(FORMAT.result) end
  for _, record in ipairs(blobs(s.caller_writes)) do list[#list + 1] = record end
  if s.outcome == FOLLOWS.go then
    if #list > 0 then call('HDEL', C, caller_writes_field(ns)) end
    add_caller_writes(ns, list)
  else keep_caller_writes(ns, list, MARK.open) end
end
