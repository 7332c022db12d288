-- needs: lib.lua format.lua ending.lua rising.lua
-- What ends a run at the root sends a frame inside a task up. -> hints
local function come_to_end(ns, st, status, err)
  if ns == '' then
    finish_run(st, status, err)
    return {}
  end
  if err and err ~= '' then
    note_form(FORMAT.result)
    call('HSET', frame_key(ns), FRAME.error, err)
  end
  return rise(ns)
end
