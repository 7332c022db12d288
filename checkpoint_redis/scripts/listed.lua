-- needs: lib.lua format.lua frozen.lua pack.lua scan.lua
-- A thread as lists show it, with what it asks.
local read_fields, read_bytes = 0, 0

-- Fields and values of the questions of some tasks. -> whether there are more
local function some_questions()
  local at_rest = packed('')
  if at_rest then
    read_bytes = read_bytes + #cget(FIELD.packed)
    return at_rest[KEY.questions], false
  end
  local cursor, found = scan(P .. KEY.questions, '0', LIMIT.listed_asking, LIMIT.listed_bytes)
  return found, cursor ~= '0'
end

-- -> texts of questions, as u:<ns> has them, and blobs, one after the other; whether there are more
local function what_is_asked()
  local found, more = some_questions()
  local out, room = {}, LIMIT.listed_bytes
  read_fields = read_fields + #found
  more = more or #found > 2 * LIMIT.listed_asking
  for i = 1, math.min(#found, 2 * LIMIT.listed_asking), 2 do
    local blob = field_of('', KEY.tasks, TASK_FIELD.question .. found[i]) or ''
    read_fields, room = read_fields + 2, room - #found[i + 1] - #blob
    if room < 0 then more = true
    else out[#out + 1], out[#out + 2] = found[i + 1], blob end
  end
  read_bytes = read_bytes + LIMIT.listed_bytes - room
  return out, more
end

-- What nobody here can read keeps no other thread out of a list.
local function asked_by_thread(st, number)
  if st ~= STATUS.interrupted and st ~= STATUS.busy then return {}, false end
  if needed(number) then return {}, true end
  local well, out, more = pcall(what_is_asked)
  if not well then return {}, true end
  return out, more
end

-- -> LISTED | nil: its keys were removed by hand
local function listed()
  local id, graph, run, st, created, updated, fingerprint, number = unpack(call('HMGET', H,
    HEADER.id, HEADER.graph, HEADER.run, HEADER.status, HEADER.created, HEADER.updated,
    HEADER.fingerprint, HEADER.form))
  if not id then return nil end
  local about, asked, more = cget(FIELD.about), asked_by_thread(st, number)
  read_fields, read_bytes = read_fields + LIMIT.listed_line, read_bytes + #(about or '')
  return LISTED{x = X, id = id, graph = graph, run = run, status = st, created = created,
    updated = updated, about = about, fingerprint = fingerprint, form = number, asked = asked,
    more = more and 1 or 0}
end

-- Whether a script has read as much for a list as it may.
local function has_read_much()
  return read_bytes > LIMIT.inline_writes or read_fields > LIMIT.listed_fields
end
