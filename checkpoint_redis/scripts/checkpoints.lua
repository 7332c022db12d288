-- needs: lib.lua format.lua slices.lua packet.lua listing.lua
-- Storing checkpoints (CHECKPOINT rows), and making one the head of its frame.
local function store_checkpoint(ns, row)
  note_form(FORMAT.checkpoint)
  local fields = {FIELD.checkpoint .. ns .. '|' .. row[CHECKPOINT.id], blob(row[CHECKPOINT.blob])}
  local channels = row[CHECKPOINT.channels]
  for i = 1, #channels, 2 do
    fields[#fields + 1] = FIELD.channel .. ns .. '|' .. channels[i]
    fields[#fields + 1] = blob(channels[i + 1])
  end
  many('HSET', C, fields)
  keep_packets(ns, row[CHECKPOINT.packets])
  list_checkpoint(ns, row[CHECKPOINT.id])
end

local function set_head(ns, cp, step, refs)
  call('HSET', C, FIELD.head_refs .. ns, refs)
  call('HSET', frame_key(ns), FRAME.checkpoint, cp, FRAME.step, step)
end
