"""Where the checkpoints of a graph are kept, and how values become bytes."""

from __future__ import annotations
