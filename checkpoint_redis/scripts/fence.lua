-- needs: lib.lua format.lua within.lua
-- Whether who calls belongs to the present, and can read the thread.
local BUSY = {[STATUS.busy] = true}
local BUSY_OR_ERROR = {[STATUS.busy] = true, [STATUS.error] = true}

-- The frame when `ep` is its open superstep and the thread may be written to, else nil. Without
-- it a worker of a committed, cancelled or rolled back superstep would still write (flaw F3).
-- -> frame | nil, UNSERVED where the caller is too old | nil, {missing} | nil
local function fence(ns, ep, allowed)
  -- A frame inside a task is of another graph than its thread.
  local st, number, epoch, advance, token, graph, fp = unpack(header_and_frame(ns,
    {HEADER.status, HEADER.form},
    {FRAME.epoch, FRAME.advance, FRAME.advance_token, FRAME.graph, FRAME.fingerprint}))
  local release = needed(number)
  if release then
    return nil, UNSERVED{status = REPLY.unserved, graph = graph, fingerprint = fp,
      format = number, release = release}
  end
  if not st then return nil, {REPLY.missing} end
  if not allowed[st] or epoch ~= ep or not is_current(ns) then return nil end
  return {st = st, advance = advance or '', token = token or '', graph = graph, fp = fp}
end
