-- include: lib.lua frozen.lua task.lua event.lua pack.lua runs.lua rest.lua numbered.lua caller_writes.lua step.lua
-- Goes on with an open superstep: answers, asks again, or retries. All pairs or none.
-- KEYS[1] header. ARGV[1] {run, mode, pairs, rnd, caller_writes, tasks, first, keep_cfg, cfg, modes, fp,
-- stop, keep}; pairs: {ns, tid, iid, blob}; stop -1 = as it is.
-- -> {go|joined, ep, event id, run, hints, advance, more} | {no_interrupt, pending} | {nothing, st}
--  | {busy, run} | {missing} | {dup, ...}; more = 1: no hints, the outbox is to be read in parts
local again = repeated(A.run)
if again then return again end
local h = call('HMGET', H, 'st', 'run', 'ev', 'queue', '/ep')
local st = h[1]
if not st then return {'missing'} end

-- Every pending question, as asked[ns][tid][iid], and the list of their ids.
local function questions()
  local asked, pending = {[''] = {}}, {}
  local u = fields_of('', 'u:')
  for i = 1, #u, 2 do
    asked[''][u[i]] = {}
    for _, question in ipairs(decode(u[i + 1])) do
      asked[''][u[i]][question[1]] = true
      pending[#pending + 1] = question[1]
    end
  end
  return asked, pending
end

-- {ns, tid, positions of its answers} of what is queued again.
local chosen = {}

local function choose(ns, tid)
  local answers = {}
  chosen[#chosen + 1] = {ns, tid, answers}
  return answers
end

local function choose_answered()
  local asked, pending = questions()
  if #A.pairs == 0 then return false, pending end
  local answers = {}
  for _, pair in ipairs(A.pairs) do
    local ns, tid, iid = pair[1], pair[2], pair[3]
    -- The id names this very instance: an answer to an earlier question of the same task must
    -- not be taken for an answer to this one (flaw F4). Each is consumed once.
    if not (asked[ns] and asked[ns][tid] and asked[ns][tid][iid]) then return false, pending end
    asked[ns][tid][iid] = nil
    local name = ns .. '|' .. tid
    answers[name] = answers[name] or choose(ns, tid)
    table.insert(answers[name], pair[4])
  end
  return true
end

local function choose_asking()
  for ns, tids in pairs((questions())) do
    for tid in pairs(tids) do choose(ns, tid) end
  end
end

local function choose_failed()
  for _, tid in ipairs(call('SDIFF', P .. 'a:', P .. 'q:')) do
    local f = get('', tid)
    if f[ST] == 'X' or f[ST] == 'B' then choose('', tid) end
    -- It was not stopped when the run failed: it gets time to finish, or is taken for lost.
    if f[ST] == 'R' then due('', tid, 'l', now() + RECHECK_MS) end
  end
  due_outbox('', now() + OUTBOX_MS)
end

local joins = st == 'busy' and A.mode == 'resume'
if st == 'busy' and not joins then return {'busy', h[2]} end
local open = is_open('')
if A.mode == 'retry' then
  if st ~= 'error' or not open then return {'nothing', st} end
  choose_failed()
else
  if st ~= 'interrupted' and not joins then return {'nothing', st} end
  if A.mode == 'resume' then
    local ok, pending = choose_answered()
    if not ok then return {'no_interrupt', pending} end
  else choose_asking() end
  if #chosen == 0 then return {'nothing', st} end
end

thaw()
restore_step('')
local run, from = h[2], h[3]
if joins then
  note_run(A.run, 'joined', run, A.keep)
else
  run, from = A.run, begin_run(A.run, A.mode, A.keep)
  call('HSET', H, 'modes', A.modes, 'fp', A.fp)
  if not A.keep_cfg then call('HSET', C, 'cfg', blob(A.cfg)) end
  if A.stop >= 0 then call('HSET', H, '/stop', A.stop) end
end

-- While the run was failed the hints of what was not started went to nobody: all are given again.
local WIDE = 1000
local function waiting()
  if call('SCARD', P .. 'q:') > WIDE then return {}, 1 end
  local out = {}
  for i, tid in ipairs(call('SMEMBERS', P .. 'q:')) do out[i] = hint('', tid, get('', tid)) end
  return out, 0
end

local hints, more = {}, 0
for _, each in ipairs(chosen) do
  local ns, tid, answers = unpack(each)
  local f = get(ns, tid)
  -- A new round: what an earlier attempt still brings does not know this answer.
  if A.mode ~= 'retry' then f[RND] = A.rnd end
  f[ATT], f[LOST] = 0, 0
  for _, position in ipairs(answers) do
    call('HSET', P .. 's:' .. ns, 'r|' .. tid .. '|' .. f[ANSWERS], blob(position))
    f[ANSWERS] = f[ANSWERS] + 1
  end
  call('HDEL', P .. 'u:' .. ns, tid)
  call('HDEL', P .. 's:' .. ns, 'e|' .. tid, 'v|' .. tid)
  requeue(ns, tid, f)
  nodue(ns, tid, 'bi')
  due_outbox(ns, now() + OUTBOX_MS)
  hints[#hints + 1] = hint(ns, tid, f)
end
local written = {}
for i, position in ipairs(A.caller_writes) do written[i] = blob(position) end
add_caller_writes('', written)
if #A.tasks > 0 then queue_tasks('', A.tasks, A.first) end
if A.mode == 'retry' then hints, more = waiting() end
for _, t in ipairs(A.mode == 'retry' and {} or A.tasks) do
  hints[#hints + 1] = {'', h[5], t[1], t[2] == '' and h[4] or t[2], t[3]}
end

-- Late results may have closed the barrier while the run was failed; nobody else would see it
-- (flaw F2).
local closing = 'open'
if A.mode == 'retry' then closing = barrier('', {st = 'busy', adv = ''}, '', 0) end
local advances = closing == 'advance' and 1 or 0
return {joins and 'joined' or 'go', h[5], from or '0-0', run, hints, advances, more}
