-- needs: lib.lua frozen.lua
-- How the last runs stand: lines "run status checkpoint" in the order of their starts, in one
-- field of C. Of a run that joined another, that one stands in place of the checkpoint.

-- -> status, checkpoint | nil
local function outcome_of(run)
  local text = '\n' .. (cget(FIELD.runs) or '')
  local _, stop = string.find(text, '\n' .. run .. ' ', 1, true)
  if stop then return string.match(text, '^(%S*) (%S*)', stop + 1) end
end

-- -> outcome and error of a run, as they are answered
local function outcome_reply(run)
  local status, cp = outcome_of(run)
  return OUTCOME_REPLY{
    outcome = status and encode(OUTCOME{status = status, checkpoint = cp}) or false,
    error = cget(FIELD.error .. run)}
end

local function set_outcome(run, status, cp)
  local text = '\n' .. (cget(FIELD.runs) or '')
  local line = run .. ' ' .. status .. ' ' .. cp
  local start, stop = string.find(text, '\n' .. run .. ' ', 1, true)
  if start then
    local rest = string.find(text, '\n', stop, true)
    text = string.sub(text, 1, start) .. line .. string.sub(text, rest)
  else text = text .. line .. '\n' end
  call('HSET', C, FIELD.runs, string.sub(text, 2))
end
