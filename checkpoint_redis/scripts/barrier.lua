-- needs: lib.lua within.lua due.lua frozen.lua pack.lua rising.lua over.lua
-- Closed when no task is active: the emptiness of a set of ids and never a counter, which the
-- first doubled message would break. `token` = '' leaves the advance to whoever claims it.
-- -> open | paused | advance, and the hint of the task around where the frame has gone up
local function barrier(ns, frame, token, lease)
  if frame.st ~= STATUS.busy or call('SCARD', P .. KEY.active .. ns) > 0 then
    return REPLY.open, {}
  end
  -- Its task is told when it parks again.
  if not is_parked(ns) then return REPLY.open, hint_around(ns) end
  -- Whatever became of them, the task around is told once all have ended: it goes on with what they left.
  if is_calls(ns) then
    local up = rise(ns)
    if call('HLEN', P .. KEY.questions .. ns) > 0 then pack_step(ns) end
    return REPLY.paused, up
  end
  if call('EXISTS', P .. KEY.questions .. ns) == 1 then
    local up = come_to_end(ns, STATUS.interrupted, RUN.interrupted)
    pack_step(ns)
    if ns == '' then freeze() end
    return REPLY.paused, up
  end
  -- Somebody holds the advance: a second holder would commit the superstep again.
  if frame.advance ~= '' then return REPLY.open, {} end
  if token == '' then
    call('HSET', frame_key(ns), FRAME.advance, ADVANCE.waiting)
  else
    call('HSET', frame_key(ns), FRAME.advance, ADVANCE.leased, FRAME.advance_token, token,
      FRAME.advances, 1)
  end
  due(ns, '', DUE.advance, now() + lease)
  return REPLY.advance, {}
end
