-- needs: lib.lua
-- The ids of all checkpoints in their order, as <ns>|<cp>, where C has many fields: a page of a
-- history then costs what it is. A small C is sorted when it is asked; it has no key for this.
local function unlisted(field)
  return string.match(field, '^' .. FIELD.checkpoint .. '(.*)$')
end

-- C is about to be too large to be gone through: all that it has so far is listed.
local function list_all()
  for _, field in ipairs(call('HKEYS', C)) do
    local name = unlisted(field)
    if name then call('ZADD', P .. KEY.listing, 0, name) end
  end
end

local function list_checkpoint(ns, cp)
  if call('EXISTS', P .. KEY.listing) == 1 then
    call('ZADD', P .. KEY.listing, 0, ns .. '|' .. cp)
  elseif call('HLEN', C) > LIMIT.frozen_fields then list_all() end
end

-- After fields of C were removed.
local function unlist(fields)
  for _, field in ipairs(fields) do
    local name = unlisted(field)
    if name then call('ZREM', P .. KEY.listing, name) end
  end
  if call('HLEN', C) <= LIMIT.frozen_fields then call('UNLINK', P .. KEY.listing) end
end
