"""``python -m workers.cli`` is the ``distgraph`` command."""

from __future__ import annotations

from . import main

main()
