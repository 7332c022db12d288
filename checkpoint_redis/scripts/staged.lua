-- needs: lib.lua
-- A wide superstep is stored in parts beforehand, in keys that are named by its epoch.
local function staged_keys(ep)
  return P .. KEY.staged_tasks .. ep, P .. KEY.staged_active .. ep, P .. KEY.staged_queued .. ep
end

local function is_staged(ep) return call('EXISTS', staged_keys(ep)) == 3 end
