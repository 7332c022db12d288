"""One run: what is not known yet is tried, and kept as soon as it is known."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from checkpoint_redis import source
from tests.mutants import suite
from tests.mutants.crew import Crew
from tests.mutants.jobs import Job, Known, Measure, Try
from tests.mutants.lines import Mutant, fault
from tests.mutants.results import Results

SAY_EVERY = 10.0
RECENT = 5
MEASURED_AT_ONCE = 20


class SuiteFails(RuntimeError):
    """Tests fail on the scripts as they are, so that they say nothing about a mutant."""


def real(mutants: Iterable[Mutant], results: Results, copy: Path) -> list[Mutant]:
    """Return those that make scripts, and keep why the others do not."""
    shutil.copytree(source.FOLDER, copy)
    found = []
    for mutant in mutants:
        if why := fault(mutant, copy):
            results.add(mutant, fault=why)
        else:
            found.append(mutant)
    return found


def measured(crew: Crew) -> list[Known]:
    """Run every test on the scripts as they are."""
    step = MEASURED_AT_ONCE
    parts = (crew.tests[n : n + step] for n in range(0, len(crew.tests), step))
    found = crew.carry_out(Measure(part) for part in parts)
    tests: list[Known] = [test for _, part in found for test in part]
    if failed := [test for test in tests if test.failed]:
        names = "\n".join(f"{test.id}\n{test.failed}" for test in failed)
        raise SuiteFails(f"Tests fail on the scripts as they are:\n{names}")
    return tests


def attempt(
    crew: Crew,
    todo: Sequence[Mutant],
    tests: Sequence[Known],
    results: Results,
    say: Callable[[str], None],
) -> None:
    """Try the mutants, keep each result, and say how far it is."""
    tried: dict[int, Mutant] = {}
    recent: dict[str, deque[str]] = {}
    began = said = time.monotonic()

    def jobs() -> Iterator[Job]:
        for mutant in todo:
            near = recent.setdefault(mutant.line.file, deque(maxlen=RECENT))
            likely = [*near, results.killer(mutant.line)]
            job = Try(mutant.line.file, mutant.content, suite.order(mutant, tests, likely))
            tried[id(job)] = mutant
            yield job

    for done, (job, killer) in enumerate(crew.carry_out(jobs()), 1):
        mutant = tried.pop(id(job))
        results.add(mutant, by=killer)
        if killer:
            near = recent[mutant.line.file]
            if killer in near:
                near.remove(killer)
            near.append(killer)
        else:
            say(f"survives: {mutant.line}")
        if time.monotonic() - said > SAY_EVERY:
            said = time.monotonic()
            left = (said - began) / done * (len(todo) - done)
            say(f"{done} of {len(todo)} lines, about {left / 60:.0f} minutes to go")
