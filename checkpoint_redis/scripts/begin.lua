-- needs: lib.lua frozen.lua runs.lua lines.lua event.lua status.lua
-- The beginning of a run.

-- Events older than the previous run are of no use to anybody. -> the id before this run's first
local function trim_events(previous)
  local last = call('XREVRANGE', P .. KEY.events, '+', '-', 'COUNT', 1)[1]
  if not last then return previous or '0-0' end
  if previous then call('XTRIM', P .. KEY.events, 'MINID', '~', previous) end
  return last[1]
end

-- row: RUN_ROW, in which only the events are missing; before: the last run, if there was any.
-- -> the events
local function begin_run(run, row, before)
  local record = before and record_of(before)
  local previous = record and (list_at(record, 1))
  local from = trim_events(previous and previous[RUN_ROW.events])
  if previous then retire(before, record, previous) end
  row[RUN_ROW.events] = from
  write_run(run, row)
  call('HSET', H, HEADER.run, run)
  current[H] = run
  stand(STATUS.busy)
  call('PERSIST', P .. KEY.events)
  event(EVENT.run, '', RUN_EVENT{kind = row[RUN_ROW.kind]})
  return from
end

-- The answer to a submit that is repeated, because its reply was lost; else nil.
local function repeated(run)
  -- Nobody could be told how such a run ended.
  if run == '' or #run > LIMIT.run_id then
    error('a run needs an id, of at most ' .. LIMIT.run_id .. ' bytes')
  end
  local status, carried, row = outcome_of(run)
  if not status then return nil end
  return REPEATED{status = REPLY.dup, epoch = call('HGET', H, FRAME.epoch) or '',
    event_id = row and row[RUN_ROW.events] or '0-0', outcome = status, run = carried, now = now()}
end
