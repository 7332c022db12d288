-- needs: lib.lua channels.lua caller_writes.lua
-- What a job has to know of its frame: the channels `wanted`, by name; false = all, and the
-- checkpoint.
local function context(ns, wanted)
  local head, frame = call('HMGET', H, STORED.head), false
  if ns ~= '' then
    frame = call('HMGET', frame_key(ns), STORED.frame)
    head[HEAD_ROW.checkpoint], head[HEAD_ROW.step], head[HEAD_ROW.caller_writes] =
      unpack(call('HMGET', frame_key(ns), FRAME.checkpoint, FRAME.step, FRAME.caller_writes))
  end
  local active = call('SCARD', P .. KEY.active .. ns)
  local written = open_caller_writes(ns, tonumber(head[HEAD_ROW.caller_writes] or 0))
  local run, refs, checkpoint = unpack(call('HMGET', C, FIELD.run .. (head[HEAD_ROW.run] or ''),
    FIELD.head_refs .. ns, FIELD.checkpoint .. ns .. '|' .. (head[HEAD_ROW.checkpoint] or '')))
  local found, lines = channels(ns, chosen(decode(refs or '[]'), wanted), LIMIT.inline_channels,
    A.known)
  return CONTEXT{head = head, active = active, frame = frame, run = run, caller_writes = written,
    checkpoint = not wanted and checkpoint, channels = found, lines = lines}
end
