-- needs: lib.lua
-- Who may work on the thread: its header has the highest number that was written into it, and the
-- release that did so. A version that reads less reads and changes nothing of it.
local stored

-- The release that is needed when the caller reads less than `number`, which is the header's.
local function needed(number)
  stored = tonumber(number or 0)
  return stored > FORMAT.newest and (call('HGET', H, HEADER.release) or '') or nil
end

-- What a caller is answered that reads less than the header's `number`, else nil.
local function too_old(number)
  local release = needed(number)
  return release and {err = table.concat({ERROR.newer_format, number, release}, ' ')}
end

-- Something is about to be written in the form `number`.
local function note_form(number)
  if number <= stored then return end
  call('HSET', H, HEADER.form, number, HEADER.release, FORMAT.release)
  stored = number
end
