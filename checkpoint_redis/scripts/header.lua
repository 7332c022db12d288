-- include: lib.lua frozen.lua numbered.lua caller_writes.lua read.lua
-- The header, with the fields of one frame. KEYS[1] header. ARGV[1] {ns} -> fields | false
return header_of(A.ns) or false
