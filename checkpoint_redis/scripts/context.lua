-- needs: lib.lua channels.lua caller_writes.lua
-- What a job has to know of its frame; checkpoint and channels only when it `reads` them.
local function context(ns, reads)
  local head = call('HMGET', H, STORED.head)
  local active = call('SCARD', P .. KEY.active .. ns)
  local written = open_caller_writes(ns, tonumber(head[HEAD_ROW.caller_writes] or 0))
  local run, refs, checkpoint = unpack(call('HMGET', C, FIELD.run .. (head[HEAD_ROW.run] or ''),
    FIELD.head_refs .. ns, FIELD.checkpoint .. ns .. '|' .. (head[HEAD_ROW.checkpoint] or '')))
  return CONTEXT{head = head, active = active, run = run, caller_writes = written,
    checkpoint = reads and checkpoint,
    channels = reads and channels(ns, decode(refs or '[]'), LIMIT.inline_channels) or {}}
end
