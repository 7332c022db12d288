-- needs: lib.lua
-- Frames of graphs that are called inside tasks. Each has its fields in a key of its own, and one
-- hash names all of them, so that neither the header nor a walk over the thread grows with them.
local function list_frame(ns, row)
  if ns == '' then return end
  call('HSET', P .. KEY.frames, ns, row[FRAME_ROW.name])
  call('HSET', frame_key(ns), FRAME.called, row[FRAME_ROW.name], FRAME.parent, row[FRAME_ROW.parent],
    FRAME.task, row[FRAME_ROW.task], FRAME.path, row[FRAME_ROW.path],
    FRAME.graph, row[FRAME_ROW.graph], FRAME.fingerprint, row[FRAME_ROW.fingerprint])
end

local function forget_frame(ns)
  call('UNLINK', frame_key(ns))
  call('HDEL', P .. KEY.frames, ns)
end

local function forget_some_frames(most)
  local found = call('HSCAN', P .. KEY.frames, '0', 'COUNT', most)[2]
  for i = 1, math.min(#found, 2 * most), 2 do forget_frame(found[i]) end
end
