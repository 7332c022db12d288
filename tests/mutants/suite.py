"""The tests of the scripts: which they are, what they depend on, which are run first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.jobs import Known
from tests.mutants.lines import Mutant

ROOT = Path(__file__).parents[2]
SIMULATIONS = ("tests/properties/test_protocol_sim.py", "tests/properties/test_framed_sim.py")
DIRECT = (
    "tests/unit/test_redis_*.py",
    "tests/unit/test_following.py",
    "tests/unit/test_langgraph_on_redis.py",
    "tests/unit/test_reading.py",
    "tests/conformance/test_langgraph_checkpointer.py",
    "tests/conformance/test_redis_savers.py",
    "tests/integration/test_redis_saver.py",
    "tests/parity/test_stores.py",
)
# Without those that start workers, that take lines out themselves, that wait for no server, and
# that read the scripts as text.
CHOSEN = (
    "-m",
    "not celery",
    "-k",
    "not only_by_its_guard and not unreachable and not password and not test_redis_scripts",
)
# Whatever a test of the scripts stands on; the scripts themselves are in the digests of mutants.
USED = ("tests/conftest.py", "tests/support/**/*.py", "checkpoint_redis/**/*.py")


def files() -> list[str]:
    """Return the files that hold the tests."""
    return [*(str(path.relative_to(ROOT)) for path in _found(DIRECT)), *SIMULATIONS]


def digest(seeds: int) -> str:
    """Return what results depend on beside the scripts."""
    summed = hashlib.sha256(f"{seeds}".encode())
    for path in _found((*DIRECT, *SIMULATIONS, *USED)):
        summed.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return summed.hexdigest()


def _found(patterns: Iterable[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern)})


def is_simulation(test: str) -> bool:
    return test.startswith(SIMULATIONS)


def order(mutant: Mutant, tests: Iterable[Known], likely: Iterable[str]) -> tuple[Known, ...]:
    """Return the tests that call a script of the mutant: the likely first, then the cheap."""
    rank = {test: -n for n, test in enumerate(likely, 1)}
    mine = (test for test in tests if not test.scripts.isdisjoint(mutant.scripts))
    return tuple(sorted(mine, key=lambda t: (rank.get(t.id, 0), is_simulation(t.id), t.seconds)))
