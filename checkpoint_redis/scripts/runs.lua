-- needs: lib.lua format.lua frozen.lua
-- The record of a run, RUN_ROW as a list of texts: of the last run, which the header names, n|<run> of
-- C; of one before it a key of its own, n:<run>, which lapses.
local function record_of(run)
  return cget(FIELD.run .. run) or call('GET', P .. KEY.run .. run)
end

-- -> RUN_ROW | nil
local function read_run(run)
  local text = run and record_of(run)
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
