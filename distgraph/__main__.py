"""``python -m distgraph`` is the ``distgraph`` command, whatever ``workers`` means here."""

from __future__ import annotations

import importlib
import os
import sys

from distgraph import _doors

STOPPED = 130
"""The exit code of what Ctrl-C ends."""


def main() -> None:
    """Run the command line; a project's own ``workers`` may be in the current folder.

    Whoever stops it while it still imports is told nothing: there is nothing to tell yet.
    """
    try:
        _doors.opened([os.getcwd()])  # noqa: PTH109 paths of modules are strings
        importlib.import_module(f"{_doors.SECOND}.cli").main()
    except KeyboardInterrupt:
        sys.exit(STOPPED)


if __name__ == "__main__":
    main()
