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
from tests.mutants.results import FOLDER, Result, Results
from tests.mutants.run import SuiteFails, attempt, measured, real


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    files = tuple(f"{name.removesuffix('.lua')}.lua" for name in options.scripts)
    results = Results(FOLDER / "results.sqlite")
    found = list(mutants(files, suite.digest(options.seeds)))
    if not found:
        _say(f"There is no script {' '.join(options.scripts)}")
        return 2
    todo = [mutant for mutant in found if options.again or not results.of(mutant)]
    _say(f"{len(found)} lines, {len(todo)} of them to be looked at")
    if todo and not options.known:
        try:
            _look(todo, results, options)
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


def _look(todo: list[Mutant], results: Results, options: argparse.Namespace) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        todo = real(todo, results, Path(folder) / "scripts")
    _say(f"{len(todo)} of them make scripts without the line")
    crew = Crew(options.jobs, FOLDER, options.seeds)
    try:
        tests = measured(crew)
        _say(f"{len(tests)} tests pass on the scripts as they are")
        attempt(crew, todo, tests, results, _say)
    finally:
        crew.close()
    _say(f"took {(time.monotonic() - began) / 60:.1f} minutes")


def _report(found: list[Mutant], results: Results) -> int:
    known = {mutant.line: result for mutant in found if (result := results.of(mutant))}
    kinds = Counter(_kind(result) for result in known.values())
    kinds["not looked at yet"] = len(found) - len(known)
    for kind, count in sorted(kinds.items()):
        _say(f"{count:6} {kind}")
    survived = {line: known[line].survives for line in known}
    wrong = list(accepted.wrong(accepted.read(), survived))
    for each in wrong:
        _say(each)
    return 1 if wrong else 0


def _kind(result: Result) -> str:
    if result.survives:
        return "survive"
    if result.fault:
        return f"no mutant: {result.fault}"
    return f"caught by {'the simulation' if suite.is_simulation(result.by) else 'a direct test'}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program of the command line


if __name__ == "__main__":
    sys.exit(main())
