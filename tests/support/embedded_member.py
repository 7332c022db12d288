"""A process that joins the embedded Redis in the folder given, and leaves when told or at its end.

It prints the server's URL when it has joined, and "left" when it has left. Of the lines it reads,
`fork` starts a child that exits at once, `linger` one that stays, whose process id it prints.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from workers.embedded.membership import join


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fork(*, linger: bool) -> int:
    """Return the child's id once it runs: what a fork is to drop is dropped by then."""
    told, tell = os.pipe()
    child = os.fork()
    if child:
        os.read(told, 1)
        return child
    os.write(tell, b"!")
    if linger:
        signal.pause()
    sys.exit(0)  # through the exit handlers, as an ordinary child


def main() -> None:
    """Join, then do as the input says until it ends."""
    lease = join(Path(sys.argv[1]))
    _say(lease.url)
    for line in sys.stdin:
        match line.strip():
            case "fork":
                os.waitpid(_fork(linger=False), 0)
                _say("forked")
            case "linger":
                _say(_fork(linger=True))
            case "leave":
                lease.leave()
                _say("left")
            case unknown:
                _say(f"unknown: {unknown}")


if __name__ == "__main__":
    main()
