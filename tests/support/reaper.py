"""Ends the process groups that a test run started, should the run itself be killed.

Run as a program of its own: it reads `+<group>` and `-<group>` lines, and kills what is left when
its input ends, which happens however the test run ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Keep the list of groups until the input ends, then kill those still on it."""
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line.startswith("+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
