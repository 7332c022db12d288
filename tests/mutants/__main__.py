"""The command line: ``python -m tests.mutants [script...]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import accepted, suite
from tests.mutants.crew import Crew
from tests.mutants.lines import Mutant, mutants
from tests.mutants.results import FOLDER, Results
from tests.mutants.run import SuiteFails, attempt, measured


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    files = tuple(f"{name.removesuffix('.lua')}.lua" for name in options.scripts)
    results = Results(FOLDER / "results.sqlite")
    with tempfile.TemporaryDirectory() as folder:
        salt = suite.digest(options.seeds)
        found = list(mutants(Path(folder) / "scripts", files, salt))
        if not found:
            _say(f"There is no script {' '.join(options.scripts)}")
            return 2
        todo = [m for m in found if not m.fault and (options.again or not results.of(m))]
        _say(f"{len(found)} lines, {len(todo)} of them to be tried")
        if todo and not options.known:
            try:
                _try(todo, results, options)
            except KeyboardInterrupt:
                _say("stopped; the next run goes on from here")
                return 130
            except SuiteFails as fails:
                _say(str(fails))
                return 2
    return _report(found, results)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description="Take one line of the scripts out at a time, and see which no test misses.",
    )
    parser.add_argument("scripts", nargs="*", help="files to look at, such as step (all)")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--seeds", type=int, default=200, help="runs of the simulation (200)")
    parser.add_argument("--known", action="store_true", help="only report what is known already")
    parser.add_argument("--again", action="store_true", help="try also what is known already")
    return parser.parse_args(words)


def _try(todo: list[Mutant], results: Results, options: argparse.Namespace) -> None:
    began = time.monotonic()
    crew = Crew(options.jobs, FOLDER, options.seeds)
    try:
        tests = measured(crew)
        _say(f"{len(tests)} tests pass on the scripts as they are")
        attempt(crew, todo, tests, results, _say)
    finally:
        crew.close()
    _say(f"took {(time.monotonic() - began) / 60:.1f} minutes")


def _report(found: list[Mutant], results: Results) -> int:
    kinds: Counter[str] = Counter()
    survived = {}
    for mutant in found:
        result = results.of(mutant)
        kinds[_kind(mutant, result.by if result else None)] += 1
        if result:
            survived[mutant.line] = not result.by
        elif mutant.fault:
            survived[mutant.line] = False
    for kind, count in sorted(kinds.items()):
        _say(f"{count:6} {kind}")
    wrong = list(accepted.wrong(accepted.read(), survived))
    for each in wrong:
        _say(each)
    return 1 if wrong else 0


def _kind(mutant: Mutant, by: str | None) -> str:
    if mutant.fault:
        return f"no mutant: {mutant.fault}"
    if by is None:
        return "not tried yet"
    if not by:
        return "survives"
    return "caught by the simulation" if suite.is_simulation(by) else "caught by a direct test"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program of the command line


if __name__ == "__main__":
    sys.exit(main())
