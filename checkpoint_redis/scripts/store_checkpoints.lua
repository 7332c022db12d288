-- needs: checkpoints.lua
-- Stores checkpoints in a row; the last one becomes the head.
local function store_checkpoints(ns, rows)
  for _, row in ipairs(rows) do store_checkpoint(ns, row) end
  local last = rows[#rows]
  if last then
    set_head(ns, last[CHECKPOINT.id], last[CHECKPOINT.step], last[CHECKPOINT.refs])
  end
end
