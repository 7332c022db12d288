-- needs: lib.lua format.lua runs.lua event.lua status.lua
-- Ends the run with `status` and puts the thread to rest as `st`. The error stands in the run's
-- record and nowhere else.
local function finish_run(st, status, err)
  local run, cp = unpack(call('HMGET', H, HEADER.run, FRAME.checkpoint))
  cp = cp or ''
  -- A thread that only a saver wrote to has had no run.
  local row = read_run(run)
  if row then
    row[RUN_ROW.status], row[RUN_ROW.checkpoint], row[RUN_ROW.ended] = status, cp, now()
    call('XADD', SHARD .. SHARD_KEY.ends, 'MAXLEN', '~', LIMIT.ends, '*', END_FIELD.run, run,
      END_FIELD.thread, X, END_FIELD.status, status)
    if err and err ~= '' then
      note_form(FORMAT.result)
      row[RUN_ROW.error] = err
    end
    write_run(run, row)
  end
  event(EVENT.ended, '', END_EVENT{status = status, checkpoint = cp})
  put_to_rest(st)
end
