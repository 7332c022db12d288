-- needs: lib.lua format.lua due.lua packet.lua
-- Removes some of what was put aside. KEYS[1] header. ARGV[1] {} -> {ok} | {more}: call again
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local name = call('SRANDMEMBER', P .. KEY.unsent)
if not name then return {REPLY.ok} end
local ns = string.match(name, '^[^.]*')
if remove_some_sent(ns, name) then not_due(ns, name, DUE.unsent) end
return {REPLY.more}
