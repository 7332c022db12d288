-- needs: packet.lua checkpoints.lua
-- Whether all that was staged for the rows is there.
local function checkpoints_are_staged(rows)
  for _, row in ipairs(rows) do
    if not all_staged(row[CHECKPOINT.packets]) then return false end
  end
  return true
end

-- Stores checkpoints in a row; the last one becomes the head.
local function store_checkpoints(ns, rows)
  for _, row in ipairs(rows) do store_checkpoint(ns, row) end
  local last = rows[#rows]
  if last then
    set_head(ns, last[CHECKPOINT.id], last[CHECKPOINT.step], last[CHECKPOINT.refs])
  end
end
