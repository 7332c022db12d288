-- needs: lib.lua context.lua
-- The context and all writes; false in place of more than 1 MB of them (they are read in pieces).
local function advance(ns)
  local size = tonumber(call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.writes_size) or 0)
  return ADVANCE_REPLY{status = REPLY.advance, context = context(ns, false),
    writes = size <= LIMIT.inline_writes and call('HGETALL', P .. KEY.writes .. ns)}
end
