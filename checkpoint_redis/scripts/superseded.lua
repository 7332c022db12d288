-- needs: event.lua
-- An attempt is void, another one will be made: what it has streamed by now is to be forgotten, and
-- nothing comes after this, because its token is taken from it.
local function tell_superseded(ns, tid, task)
  event(EVENT.retry, ns, TASK_EVENT{tid = tid, attempt = task[TASK.attempts]})
end
