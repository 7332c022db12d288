-- needs: lib.lua format.lua runs.lua event.lua status.lua
-- Ends the run with `status` and puts the thread to rest as `st`.
local function finish_run(st, status, err)
  local run, cp = unpack(call('HMGET', H, HEADER.run, FRAME.checkpoint))
  cp = cp or ''
  -- A thread that only a saver wrote to has had no run: an outcome of none is nobody's.
  if run and run ~= '' then
    set_outcome(run, status, cp)
    if err and err ~= '' then
      note_form(FORMAT.result)
      call('HSET', C, FIELD.error .. run, err)
    end
  end
  event(EVENT.ended, '', END_EVENT{status = status, checkpoint = cp})
  put_to_rest(st)
end
