"""No test judges by a clock: a busy machine is slow, and not wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.processes import ROOT

CLOCKS = {
    name + unit
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for unit in ("", "_ns")
}
SLEEPS = {"sleep"}
MODULES = {"time": CLOCKS | SLEEPS, "asyncio": SLEEPS, "threading": {"Timer"}}
WAITS = {
    "acquire", "aresult", "communicate", "get", "join", "result", "stop", "wait",
    "wait_for", "wait_until", "wait_until_async",
}  # fmt: skip
TIMEOUTS = {"timeout", "within"}
LONGEST = 0.5
"""Seconds that a test may write down itself: so short a time is meant to be too short."""

EXCEPTIONS = {
    # What waits on conditions has to pause between two looks, and to give up.
    ("support/waiting.py", "time.sleep"),
    ("support/waiting.py", "asyncio.sleep"),
    ("support/waiting.py", "time.monotonic"),
    ("support/waiting.py", "time.time"),
    # Work that takes its time, so that it can be harmed in its middle.
    ("support/apps/programs.py", "time.sleep"),
    # A coroutine that lets others have a turn, or that is cancelled while it sleeps.
    ("support/apps/watched.py", "asyncio.sleep"),
    ("unit/test_context_variables.py", "asyncio.sleep"),
    ("unit/test_core_execute.py", "asyncio.sleep"),
    ("unit/test_func.py", "asyncio.sleep"),
    ("unit/test_func_on_loops.py", "asyncio.sleep"),
    ("unit/test_runner_local.py", "asyncio.sleep"),
    ("unit/test_bad_graphs.py", "asyncio.sleep"),
    ("unit/test_effects.py", "asyncio.sleep"),
    ("support/branches.py", "asyncio.sleep"),
    ("substrates/app.py", "asyncio.sleep"),
    # A task that ends, as a rule, while its stream is being left.
    ("unit/test_runner_local.py", "threading.Timer"),
    # A tool that says how long a row took, and gives up one that hangs.
    ("substrates/__main__.py", "time.monotonic"),
    ("substrates/running.py", "threading.Timer"),
}

UNTIMED = ("chaos", "mutants")
"""Folders that are no part of what must pass on a busy machine."""
TESTS = ROOT / "tests"
FILES = sorted(
    path.relative_to(TESTS).as_posix()
    for path in TESTS.rglob("*.py")
    if path.relative_to(TESTS).parts[0] not in UNTIMED
)


def clocks(tree: ast.AST) -> Iterator[str]:
    """Yield what `tree` takes from the modules that know the time, however it is imported."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                known |= {one.asname or one.name: one.name for one in names}
            case ast.ImportFrom(module=str(module), names=names) if module in MODULES:
                yield from (f"{module}.{one.name}" for one in names if one.name in MODULES[module])
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = known.get(node.value.id, "")
            if node.attr in MODULES.get(module, ()):
                yield f"{module}.{node.attr}"


def timeouts(tree: ast.AST) -> Iterator[str]:
    """Yield calls that wait for a number of seconds of their own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        named = [each.value for each in node.keywords if each.arg in TIMEOUTS]
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = [*named, *(node.args if name in WAITS else ())]
        for value in given:
            match value:
                case ast.Constant(value=int() | float() as seconds) if seconds > LONGEST:
                    yield ast.unparse(node)


@cache
def read(name: str) -> ast.Module:
    return ast.parse((TESTS / name).read_text())


@pytest.mark.parametrize("name", FILES)
def test_no_test_sleeps_or_reads_a_clock(name: str) -> None:
    found = {each for each in clocks(read(name)) if (name, each) not in EXCEPTIONS}
    assert not found, "wait with tests.support.waiting, and count what happens instead of timing it"


@pytest.mark.parametrize("name", FILES)
def test_no_test_has_a_patience_of_its_own(name: str) -> None:
    found = [each for each in timeouts(read(name)) if name != "unit/test_no_clock.py"]
    assert not found, "tests.support.waiting.PATIENCE is how long anything may take"


def test_no_exception_is_left_over() -> None:
    assert {(name, each) for name in FILES for each in clocks(read(name))} >= EXCEPTIONS


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.sleep(1)",
        "import time as t\ntook = t.monotonic() - began",
        "from time import perf_counter as now",
        "import asyncio\nawait_ = asyncio.sleep",
        "import threading\nthreading.Timer(0.2, print)",
        "run.result(timeout=20)",
        "event.wait(10.0)",
        "wait_until(print, 'it', within=5)",
    ],
)
def test_a_clock_is_found(code: str) -> None:
    tree = ast.parse(code)
    assert [*clocks(tree), *timeouts(tree)]
