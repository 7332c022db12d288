"""The smoke program: `python -m tests.substrates.smoke FOLDER POOL WORKERS_ENVIRONMENT`.

A client in a process of its own, which starts the workers and checks every result itself. It prints
`ok` and the name of each check that held, or `failed` and what did not, `harm` where it waits for a
line that says that the harm was done, and at its end, as JSON, what it counted. Settings of the
client come from its environment, those of the workers, JSON, by the command line.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from pathlib import Path

from tests.substrates.checks import CHECKS, Scene
from tests.substrates.crew import Crew
from tests.substrates.notes import Notes

PACKAGES = ("celery", "kombu", "redis")
SHOWN = 500
"""Characters of what did not hold."""


def main(folder: Path, pool: str, env: dict[str, str]) -> None:
    notes = Notes(folder)
    crew = Crew(folder, pool, env)
    scene = Scene(folder, crew, notes, harm)
    try:
        for check in CHECKS:
            check(scene)
            crew.all_live()
            say(f"ok {check.__name__.replace('_', ' ')}")
        crew.leave()
        say("ok workers leave in order")
    except Exception as error:
        say(f"failed {type(error).__name__}: {' '.join(str(error).split())[:SHOWN]}")
        raise
    finally:
        crew.end()
    say(json.dumps(counted(notes, crew)))


def counted(notes: Notes, crew: Crew) -> dict[str, object]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["Python"] = platform.python_version()
    return {"executions": notes.count, "kills": crew.killed, "versions": versions}


def harm() -> None:
    """Have the one that started this program do harm, and return when it is done."""
    say("harm")
    assert sys.stdin.readline(), "nobody said that the harm was done"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program of the command line


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
