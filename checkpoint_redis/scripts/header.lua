-- needs: lib.lua head.lua
-- The header, with the fields of one frame. KEYS[1] header. ARGV[1] {ns} -> HEADER_ROW | false
return header_of(A.ns) or false
