-- needs: lib.lua format.lua packet.lua
-- Packets by name, as many as fit into a reply. KEYS[1] header. ARGV[1] {ns, names}
-- -> packet | false for the first of them; at least one
local refused = too_old(call('HGET', H, HEADER.form))
if refused then return refused end
local out, size = {}, 0
for i, name in ipairs(A.names) do
  local found = packet(A.ns, name)
  size = size + #(found or '')
  if size > LIMIT.inline_writes and i > 1 then break end
  out[i] = found
end
return out
