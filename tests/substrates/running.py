"""Running the smoke program on one substrate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.substrates.kit import Kit, Missing, missing
from tests.substrates.row import Ground, Outcome, Place, Row
from tests.support.processes import ROOT
from tests.support.redis_server import none_left_in

LIMIT = 300.0
"""Seconds that a row may take: what hangs is no reason to wait for."""
SETTINGS = {"DISTGRAPH_LEASE": "8", "DISTGRAPH_HEARTBEAT": "1", "DISTGRAPH_SWEEP": "0.5"}
Say = Callable[[str], None]


class Failed(Exception):
    """Says what did not hold."""


def run(row: Row, kit: Kit, folder: Path, say: Say) -> Outcome:
    """Run a row in an empty folder; what it needs and what it finds wrong is its outcome."""
    folder.mkdir()
    if lacking := missing(row.packages):
        said = (
            f"not run: {', '.join(lacking)} of Debian is not installed, which root does by apt-get"
        )
        return Outcome(row, said)
    try:
        ground = Ground(kit, folder, row.python(kit))
        with none_left_in(folder), row.place(ground) as place:
            counted = _smoke(row, ground, place, say)
    except Missing as error:
        return Outcome(row, f"not run: {error}")
    except Failed as error:
        return Outcome(row, f"FAILED: {error}")
    except Exception as error:  # noqa: BLE001 - servers that do not start are an outcome too
        return Outcome(row, f"FAILED: {type(error).__name__}: {' '.join(str(error).split())}")
    said = f"passed: {counted['executions']} executions, {counted['kills']} kills"
    harm = f", {place.harmed}" if place.harmed else ""
    return Outcome(row, said + harm, place.server, counted["versions"])


def _smoke(row: Row, ground: Ground, place: Place, say: Say) -> dict[str, Any]:
    """Return what the program counted; raise Failed where a check did not hold."""
    folder = ground.folder / "smoke"
    folder.mkdir()
    command = [str(ground.python), "-m", "tests.substrates.smoke"]
    command += [str(folder), row.pool, json.dumps(dict(place.worker))]
    env = {**_neutral(), **SETTINGS, **place.client, "PYTHONPATH": str(ROOT)}
    log = folder / "smoke.log"
    with _started(command, env, log) as process:
        told = _listen(process, place, say)
    if process.returncode or not isinstance(told.counted, dict):
        raise Failed(f"after '{told.held}': {told.failed or _reason(log, process.returncode)}")
    return told.counted


def _neutral() -> dict[str, str]:
    """Return the environment without settings of ours: a row has its own."""
    return {name: os.environ[name] for name in os.environ if not name.startswith("DISTGRAPH_")}


@dataclass(slots=True)
class _Told:
    """What the program said so far: the last check that held, what did not, what it counted."""

    held: str = "nothing"
    failed: str = ""
    counted: Any = None


def _listen(process: subprocess.Popen[str], place: Place, say: Say) -> _Told:
    """Follow the program to its end, and do the harm where it asks."""
    told = _Told()
    assert process.stdout is not None
    for line in process.stdout:
        word, _, rest = line.strip().partition(" ")
        match word:
            case "harm":
                place.harm()
                _go_on(process.stdin)
            case "ok":
                told.held = rest
                say(f"    {rest}")
            case "failed":
                told.failed = rest
            case _:
                told.counted = json.loads(line)
    return told


def _go_on(pipe: IO[str] | None) -> None:
    assert pipe is not None
    with suppress(BrokenPipeError):
        pipe.write("done\n")
        pipe.flush()


@contextmanager
def _started(command: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the program; it has ended behind the block, by force after LIMIT."""
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        late = threading.Timer(LIMIT, process.kill)
        late.start()
        try:
            yield process
            process.wait()
        finally:
            late.cancel()
            process.kill()


def _reason(log: Path, code: int) -> str:
    if code == -signal.SIGKILL:
        return f"it took longer than {LIMIT:g} s"
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"it ended with {code}"
