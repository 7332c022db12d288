-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua step.lua
-- Removes everything of a thread. KEYS[1] header. -> {ok} | {missing}
local st = call('HGET', H, 'st')
thaw()
drop_frames()
index(st, nil)
call('UNLINK', H, C, P .. 'e', P .. 'eb')
return {st and 'ok' or 'missing'}
