"""``python -m distgraph`` is the ``distgraph`` command, whatever ``workers`` means here."""

from __future__ import annotations

import importlib
import os

from distgraph import _doors


def main() -> None:
    """Run the command line; a project's own ``workers`` may be in the current folder."""
    _doors.opened([os.getcwd()])  # noqa: PTH109 paths of modules are strings
    importlib.import_module(f"{_doors.SECOND}.cli").main()


if __name__ == "__main__":
    main()
