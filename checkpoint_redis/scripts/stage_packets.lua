-- needs: lib.lua slices.lua
-- Stores a slice of a large bundle, which lapses unless somebody keeps it.
-- KEYS[1] header. ARGV[1] {bundle, number, first, count}: from that number on, in ARGV from `first` on -> 1
-- One that comes late, when its bundle is kept already, must not make that lapse.
if call('SISMEMBER', P .. KEY.bundles, A.bundle) == 1 then return 1 end
local key, fields = P .. KEY.bundle .. A.bundle, {}
for n = 0, A.count - 1 do
  fields[2 * n + 1], fields[2 * n + 2] = A.number + n, ARGV[A.first + n]
end
many('HSET', key, fields)
call('PEXPIRE', key, LIMIT.staged_ms)
return 1
