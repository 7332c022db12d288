-- needs: lib.lua staged.lua new_tasks.lua
-- Stores a part of a wide superstep in temporary keys, which commit or start then rename.
-- KEYS[1] header. ARGV[1] {ep, tasks, first, reads}; ep is that of the superstep to come. -> 1
local tasks, active, queued = staged_keys(A.ep)
store_tasks(tasks, active, queued, A.tasks, A.first, A.reads)
for _, key in ipairs({tasks, active, queued}) do call('PEXPIRE', key, LIMIT.staged_ms) end
return 1
