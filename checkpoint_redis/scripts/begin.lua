-- needs: lib.lua frozen.lua runs.lua event.lua status.lua
-- The beginning of a run.

-- The oldest outcomes beyond `keep` go, but that of the run `spared`.
local function trim_outcomes(keep, spared)
  local text = cget(FIELD.runs) or ''
  local _, count = string.gsub(text, '\n', '\n')
  if count <= keep then return end
  repeat
    local line, run, others = string.match(text, '^((%S+)[^\n]*\n)(.*)$')
    if run == spared then text = others .. line
    else
      call('HDEL', C, FIELD.error .. run)
      text, count = others, count - 1
    end
  until count <= keep
  call('HSET', C, FIELD.runs, text)
end

-- cp: of a run that joins another, that one, which is under way however many join it.
local function note_run(run, status, cp, keep)
  set_outcome(run, status, cp)
  trim_outcomes(keep, status == RUN.joined and cp)
end

-- Events older than the previous run are of no use to anybody. -> the id before this run's first
local function trim_events(previous)
  local last = call('XREVRANGE', P .. KEY.events, '+', '-', 'COUNT', 1)[1]
  if not last then return previous or '0-0' end
  if previous then call('XTRIM', P .. KEY.events, 'MINID', '~', previous) end
  return last[1]
end

local function begin_run(run, kind, keep)
  local st, before, cp = unpack(call('HMGET', H, HEADER.status, HEADER.events, FRAME.checkpoint))
  local from = trim_events(before)
  note_run(run, RUN.pending, cp or '', keep)
  index(st, STATUS.busy)
  call('HSET', H, HEADER.status, STATUS.busy, HEADER.run, run, HEADER.events, from,
    HEADER.updated, now())
  call('PERSIST', P .. KEY.events)
  event(EVENT.run, '', RUN_EVENT{kind = kind})
  return from
end

-- The answer to a submit that is repeated, because its reply was lost; else nil.
local function repeated(run)
  -- Nobody could be told how such a run ended.
  if run == '' then error('a run needs an id') end
  local status, cp = outcome_of(run)
  if not status then return nil end
  local ep, from = unpack(call('HMGET', H, FRAME.epoch, HEADER.events))
  return REPEATED{status = REPLY.dup, epoch = ep or '', event_id = from or '0-0',
    outcome = status, run = status == RUN.joined and cp or run}
end
