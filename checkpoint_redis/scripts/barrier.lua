-- needs: lib.lua due.lua frozen.lua pack.lua ending.lua
-- Closed when no task is active: the emptiness of a set of ids and never a counter, which the
-- first doubled message would break. `token` = '' leaves the advance to whoever claims it.
local function barrier(ns, frame, token, lease)
  if frame.st ~= STATUS.busy or call('SCARD', P .. KEY.active .. ns) > 0 then return REPLY.open end
  if call('EXISTS', P .. KEY.questions .. ns) == 1 then
    finish_run(STATUS.interrupted, RUN.interrupted)
    pack_step(ns)
    freeze()
    return REPLY.paused
  end
  -- Somebody holds the advance: a second holder would commit the superstep again.
  if frame.advance ~= '' then return REPLY.open end
  if token == '' then
    call('HSET', frame_key(ns), FRAME.advance, ADVANCE.waiting)
  else
    call('HSET', frame_key(ns), FRAME.advance, ADVANCE.leased, FRAME.advance_token, token,
      FRAME.advances, 1)
  end
  due(ns, '', DUE.advance, now() + lease)
  return REPLY.advance
end
