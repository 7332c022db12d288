-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Stores a part of a wide superstep in temporary keys, which commit or start then rename.
-- KEYS[1] header. ARGV[1] {ep, tasks, first}; ep is that of the superstep to come. -> 1
local s, a, q = staged_keys(A.ep)
store_tasks(s, a, q, A.tasks, A.first)
for _, key in ipairs({s, a, q}) do call('PEXPIRE', key, 600000) end
return 1
