-- needs: lib.lua event.lua
-- An attempt is void, another one will be made: what it has streamed by now is to be forgotten, and
-- nothing comes after this, because its token is taken from it. Of a task inside another one it tells
-- what nobody may be able to read any more who comes to read this.
local function tell_superseded(ns, tid, task)
  local name = ns ~= '' and call('HGET', frame_key(ns), FRAME.called) or ''
  event(EVENT.retry, ns, RETRY_EVENT{tid = tid, attempt = task[TASK.attempts], frame = name},
    ns ~= '' and call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.blob .. tid))
end
