-- needs: lib.lua format.lua head.lua loaded.lua
-- A frame as it stands. KEYS[1] header. ARGV[1] {ns, cp, open} (cp '' = head) -> LOADED | false
local h = header_of(A.ns)
if not h then return false end
local refused = too_old(h[HEADER_ROW.form])
if refused then return refused end
return loaded(A.ns, A.cp, A.open == 1, h)
