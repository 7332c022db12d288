-- needs: lib.lua frozen.lua pack.lua held.lua channels.lua scan.lua
-- Everything stored of one frame, at one moment; but large channels, a long log and a wide superstep
-- are to be read in parts.

-- h: HEADER_ROW; cp: '' = head; opens: whether what is open at the head comes too -> LOADED
local function loaded(ns, cp, opens, h)
  local head = cp == '' or cp == h[HEADER_ROW.checkpoint]
  local at = ns .. '|' .. (head and h[HEADER_ROW.checkpoint] or cp)
  local logged, log, room = tonumber(cget(FIELD.log .. at) or 0), {}, LIMIT.inline_writes
  for i = 1, math.min(logged, LIMIT.inline_fields) do
    local record = cget(FIELD.log .. at .. '|' .. (i - 1))
    room = room - #(record or '')
    if not record or room < 0 then break end
    log[i] = record
  end
  -- The references of an older checkpoint are in its blob, which only the caller can read.
  local refs = head and decode(cget(FIELD.head_refs .. ns) or '[]') or {}
  local found, lines = channels(ns, refs, LIMIT.inline_writes, {})
  local kept = cget(FIELD.caller_writes .. at)
  -- What is not of the superstep around that is open now is over, though its keys may be there still.
  local opened = head and opens and is_held(ns)
  -- At the head that is what a superstep left which was given up; the open one is another. Who names the
  -- checkpoint of a frame that is over looks back, whereas who goes on with the frame begins there anew.
  local over = ns ~= '' and cp ~= '' and not opened
  local left = (over or not head) and cget(FIELD.left .. at)

  room = LIMIT.inline_writes
  -- A part of the open superstep, `at_rest` when it is packed; nil once `room` is used up.
  local function take_part(part, at_rest)
    if at_rest then return at_rest[part] end
    local cursor, found = scan(P .. part .. ns, '0', LIMIT.inline_fields, room)
    for _, item in ipairs(found) do room = room - #item end
    return cursor == '0' and found or nil
  end

  -- The open superstep; false where it is too wide, or too large, for a reply.
  local function step_open()
    local at_rest = packed(ns)
    if not at_rest and call('EXISTS', P .. KEY.tasks .. ns) == 0 then
      return OPEN{tasks = {}, writes = {}, questions = {}}
    end
    if not at_rest and size_of_step(ns) > LIMIT.inline_fields then return false end
    local tasks = take_part(KEY.tasks, at_rest)
    local writes = tasks and take_part(KEY.writes, at_rest)
    local questions = writes and take_part(KEY.questions, at_rest)
    return questions and OPEN{tasks = tasks, writes = writes, questions = questions} or false
  end

  local open = opened and step_open()
  local info, failure = false, false
  if ns ~= '' then
    local around
    around, failure = unpack(call('HMGET', frame_key(ns), FRAME.around, FRAME.error))
    info = around and call('HMGET', frame_key(ns), STORED.frame)
  end
  return LOADED{header = h, frame = info, failure = failure,
    run = cget(FIELD.run .. (h[HEADER_ROW.run] or '')),
    checkpoint = cget(FIELD.checkpoint .. at), channels = found, lines = lines,
    logged = logged, log = log, left = left, caller_writes = kept and (list_at(kept, 1)) or {},
    wide = opened and not open and 1 or 0, open = open}
end
