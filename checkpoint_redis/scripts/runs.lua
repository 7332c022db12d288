-- needs: lib.lua format.lua frozen.lua
-- The record of a run, RUN_ROW as a list of texts: n|<run> of C. The header names the last run.

-- -> RUN_ROW | nil
local function read_run(run)
  local text = run and cget(FIELD.run .. run)
  return text and (list_at(text, 1)) or nil
end

local function write_run(run, row)
  note_form(FORMAT.run)
  local parts = {}
  for i, part in ipairs(row) do
    parts[i] = type(part) == 'number' and string.format('%.0f', part) or part
  end
  call('HSET', C, FIELD.run .. run, text_of(parts))
end
