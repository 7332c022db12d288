-- needs: lib.lua
-- Frames of graphs inside tasks. Each has its fields in a key of its own, and one hash names all of
-- them, so that neither the header nor a walk over the thread grows with them.
local function list_frame(ns, row)
  if ns == '' then return end
  local key = frame_key(ns)
  call('HSET', P .. KEY.frames, ns, row[FRAME_ROW.name])
  call('HSET', key, FRAME.called, row[FRAME_ROW.name], FRAME.path, row[FRAME_ROW.path],
    FRAME.graph, row[FRAME_ROW.graph], FRAME.fingerprint, row[FRAME_ROW.fingerprint])
  -- Who parks for a frame that lasts knows better than its name, which has no task in it.
  call('HSETNX', key, FRAME.parent, row[FRAME_ROW.parent])
  call('HSETNX', key, FRAME.task, row[FRAME_ROW.task])
end

local function forget_frame(ns)
  call('UNLINK', frame_key(ns))
  -- What nobody dropped of it yet.
  if call('EXISTS', P .. KEY.tasks .. ns, P .. KEY.inner .. ns) > 0 then
    call('UNLINK', P .. KEY.tasks .. ns, P .. KEY.writes .. ns, P .. KEY.questions .. ns,
      P .. KEY.sent .. ns, P .. KEY.active .. ns, P .. KEY.queued .. ns, P .. KEY.inner .. ns)
  end
  call('HDEL', P .. KEY.frames, ns)
end

local function forget_some_frames(most)
  local found = call('HSCAN', P .. KEY.frames, '0', 'COUNT', most)[2]
  for i = 1, math.min(#found, 2 * most), 2 do forget_frame(found[i]) end
end
