-- How the last runs stand: lines "run status checkpoint" in the order of their starts, in one
-- field of C. Of a run that joined another, that one stands in place of the checkpoint.

-- -> status, checkpoint | nil
local function outcome_of(run)
  local text = '\n' .. (cget('runs') or '')
  local _, stop = string.find(text, '\n' .. run .. ' ', 1, true)
  if stop then return string.match(text, '^(%S*) (%S*)', stop + 1) end
end

local function outcome_json(run)
  local status, cp = outcome_of(run)
  return status and encode({status, cp}) or false
end

local function set_outcome(run, status, cp)
  local text = '\n' .. (cget('runs') or '')
  local line = run .. ' ' .. status .. ' ' .. cp
  local start, stop = string.find(text, '\n' .. run .. ' ', 1, true)
  if start then
    local rest = string.find(text, '\n', stop, true)
    text = string.sub(text, 1, start) .. line .. string.sub(text, rest)
  else text = text .. line .. '\n' end
  call('HSET', C, 'runs', string.sub(text, 2))
end

-- The oldest outcomes beyond `keep` go, but that of the run `spared`.
local function trim_outcomes(keep, spared)
  local text = cget('runs') or ''
  local _, count = string.gsub(text, '\n', '\n')
  if count <= keep then return end
  while count > keep do
    local line, run, others = string.match(text, '^((%S+)[^\n]*\n)(.*)$')
    if run == spared then text = others .. line
    else
      call('HDEL', C, 'oe|' .. run)
      text, count = others, count - 1
    end
  end
  call('HSET', C, 'runs', text)
end
