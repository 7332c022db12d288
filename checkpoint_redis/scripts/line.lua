-- needs: listed.lua
-- One thread as lists show it. KEYS[1] header. ARGV[1] {} -> LISTED | false
return listed() or false
