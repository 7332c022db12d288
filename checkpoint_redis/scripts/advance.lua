-- needs: lib.lua context.lua
-- The context and all writes; false in place of too many of them, or more than 1 MB (they are read
-- in pieces).
local function advance(ns)
  local writes = P .. KEY.writes .. ns
  local size = tonumber(call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.writes_size) or 0)
  local small = size <= LIMIT.inline_writes and call('HLEN', writes) <= LIMIT.inline_fields
  return ADVANCE_REPLY{status = REPLY.advance, context = context(ns, false),
    writes = small and call('HGETALL', writes)}
end
