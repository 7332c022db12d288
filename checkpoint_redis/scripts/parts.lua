-- needs: frozen.lua
-- A record of which parts stand in values is a list: what comes before a part, the name of its value,
-- from where on and how much of that it is, what comes behind, and so on. It begins with a digit, which
-- the bytes of a serializer do not.
local function without(record, spans)
  local out, at = {}, 1
  for _, span in ipairs(spans) do
    local first, length = span[SPAN.first], span[SPAN.length]
    local where = {string.sub(record, at, first - 1), span[SPAN.name],
      string.format('%d', span[SPAN.start]), string.format('%d', length)}
    for _, each in ipairs(where) do out[#out + 1] = each end
    at = first + length
  end
  out[#out + 1] = string.sub(record, at)
  return text_of(out)
end
