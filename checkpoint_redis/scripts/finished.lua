-- Recording what a task left, for complete and finish.

-- result: {tid, rnd, blob, event, questions, memo}. The first finisher of the round wins,
-- whichever attempt it is; -> done | dup | stale | gone.
local function record(ns, st, tok, result)
  local tid, rnd, questions = result[1], result[2], result[5]
  local f = get(ns, tid)
  if not f then return 'gone' end
  local final = #questions > 0 and 'I' or 'D'
  if f[ST] == final and f[TOK] == tok then return 'dup' end
  -- Done or asking: a second result would be applied twice, or replace the first.
  if not string.find('QRBX', f[ST], 1, true) then return 'stale' end
  -- Of an earlier round: it does not know the answer that was given since.
  if f[RND] ~= rnd then return 'stale' end
  local s, before = P .. 's:' .. ns, f[ST]
  f[ST], f[TOK], f[OWNER] = final, tok, ''
  put(ns, tid, f)
  if result[6] > 0 then call('HSET', s, 'm|' .. tid, blob(result[6])) end
  if final == 'D' then
    call('HSET', P .. 'w:' .. ns, tid, blob(result[3]))
    call('HINCRBY', s, 'wb', #blob(result[3]))
  else
    call('HSET', P .. 'u:' .. ns, tid, encode(questions))
    call('HSET', s, 'v|' .. tid, blob(result[3]))
  end
  call('SREM', P .. 'a:' .. ns, tid)
  if before == 'Q' then call('SREM', P .. 'q:' .. ns, tid) end
  if before == 'X' then call('HDEL', s, 'e|' .. tid) end
  nodue(ns, tid, 'lb')
  local first
  for _, question in ipairs(questions) do
    if question[2] > 0 and (not first or question[2] < first) then first = question[2] end
  end
  if first then due(ns, tid, 'i', first) end
  -- A run that has failed has ended: nobody follows its events any more.
  if st ~= 'busy' then return 'done' end
  if final == 'D' then
    event('task', {ns, tid, f[ATT]}, blob(result[4]))
  else
    local iids = {}
    for i, question in ipairs(questions) do iids[i] = question[1] end
    event('ask', {ns, tid, iids}, blob(result[3]))
  end
  return 'done'
end

-- -> {results, statuses, closing, context, writes}
local function complete(f)
  local statuses = {}
  for i, result in ipairs(A.results) do statuses[i] = record(A.ns, f.st, A.tok, result) end
  local closing
  if f.adv == 'l' and f.advtok == A.tok2 then closing = 'advance'
  else closing = barrier(A.ns, f, A.tok2, A.lease) end
  if closing ~= 'advance' then return {'results', statuses, closing} end
  local all = advance(A.ns)
  return {'results', statuses, closing, all[2], all[3]}
end
