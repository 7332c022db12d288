-- needs: lib.lua format.lua frozen.lua
-- The thread's last runs. KEYS[1] header. ARGV[1] {} -> RUNS | false
local run, number = unpack(call('HMGET', H, HEADER.run, HEADER.form))
local refused = too_old(number)
if refused then return refused end
return run and RUNS{run = run, record = cget(FIELD.run .. run), lines = cget(FIELD.lines)}
