"""Every program in examples/ does what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from celery import Celery

from examples import agent_tools, notebook, streaming, workflow
from tests.support.celery_worker import CeleryWorker
from tests.support.processes import ROOT, Process
from workers.broker.settings import RECOMMENDED

Load = Callable[[str], ModuleType]
OWN = {"broker_connection_retry_on_startup"}  # what the example itself sets
TESTED_HERE = {
    "agent_tools",
    "existing_celery",
    "fan_out",
    "notebook",
    "refunds",
    "streaming",
    "workflow",
}
TESTED_AS_GUIDES = {"approvals", "batch", "graph_tests", "watched", "web"}


def test_every_example_has_a_test() -> None:
    there = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert there == TESTED_HERE | TESTED_AS_GUIDES


@pytest.mark.parametrize("words", [(), ("order-1",)])
def test_an_example_that_is_started_wrongly_tells_how(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "examples.refunds", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "python -m examples.refunds order-17 120" in ended.stderr
    assert "Traceback" not in ended.stderr


# --- in this process ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"action": "approve"}, "Done: 500 to bob"),
        ({"action": "edit", "args": {"to": "bob", "amount": 5}}, "Done: 5 to bob"),
        ({"action": "refuse", "reason": "no"}, "Done: refused, because no"),
    ],
)
def test_a_tool_call_is_approved_edited_or_refused(answer: dict[str, object], said: str) -> None:
    assert agent_tools.main(answer, f"thread-{answer['action']}") == said


def test_progress_of_a_node_comes_before_its_update() -> None:
    assert list(streaming.follow()) == [
        ("custom", {"planned": 50}),
        ("custom", {"planned": 100}),
        ("updates", {"plan": {"stops": ["Oslo"]}}),
        ("updates", {"book": {"stops": ["Bergen"]}}),
    ]


async def test_whole_states_can_be_followed_on_an_event_loop() -> None:
    states = [state["stops"] async for state in streaming.afollow()]
    assert states == [[], ["Oslo"], ["Oslo", "Bergen"]]


@pytest.mark.parametrize(
    ("answer", "last"), [("yes", "booked the train for 120"), ("no", "stayed at home")]
)
def test_a_workflow_looks_nothing_up_twice(
    capsys: pytest.CaptureFixture[str], answer: str, last: str
) -> None:
    assert workflow.main(f"Rome, {answer}", answer) == last
    assert capsys.readouterr().out.count("looking up") == 2


# --- on workers -----------------------------------------------------------------------------


@pytest.mark.celery
def test_the_notebook_needs_no_server(tmp_path: Path) -> None:
    assert notebook.main(tmp_path) == [2, 6, 3, 2, 2, 7]


@pytest.mark.celery
def test_a_small_refund_is_paid_without_a_question(load: Load) -> None:
    refunds = load("examples.refunds")
    with refunds.backend.worker():
        state = refunds.main("order-1", "20")
    assert state["log"][-1] == "paid 20.00"
    assert "__interrupt__" not in state


@pytest.mark.celery
@pytest.mark.parametrize(("word", "last"), [("yes", "paid 120.00"), ("no", "declined order-2")])
def test_a_large_refund_waits_for_an_answer(load: Load, word: str, last: str) -> None:
    refunds = load("examples.refunds")
    with refunds.backend.worker():
        asked = refunds.main("order-2", "120")
    assert asked["__interrupt__"][0].value == {"refund": "order-2", "amount": 120.0}
    (waiting,) = refunds.backend.threads(status="interrupted")
    assert waiting.id == "order-2"
    with refunds.backend.worker():
        assert refunds.main("order-2", word)["log"][-1] == last


@pytest.mark.celery
def test_celery_finds_the_application_of_an_example(
    load: Load, start_worker: Callable[..., CeleryWorker]
) -> None:
    refunds = load("examples.refunds")
    start_worker("examples.refunds")
    assert refunds.main("order-3", "20")["log"][-1] == "paid 20.00"


@pytest.mark.celery
def test_the_command_of_the_compose_file_serves_an_example(load: Load, tmp_path: Path) -> None:
    refunds = load("examples.refunds")
    command = [str(Path(sys.executable).parent / "distgraph"), "worker", "examples.refunds:graph"]
    worker = Process(command, log=tmp_path / "worker.log")
    try:
        assert refunds.main("order-4", "20")["log"][-1] == "paid 20.00"
    finally:
        worker.stop()


@pytest.mark.celery
def test_every_invoice_is_counted_once(load: Load) -> None:
    fan_out = load("examples.fan_out")
    with fan_out.backend.worker():
        assert fan_out.main(50) == sum(19 * n for n in range(50))


@pytest.mark.celery
def test_a_graph_runs_in_an_existing_application_whose_settings_stay(load: Load) -> None:
    """Both at once: Celery keeps the tasks of an application for the whole process."""
    existing = load("examples.existing_celery")
    with existing.backend.worker():
        state = existing.main(42)
    assert state == {"number": 42, "packed": True, "told": "customer@example.org"}
    untouched = Celery("untouched", set_as_current=False).conf
    assert existing.app is existing.shop
    assert all(existing.shop.conf[name] == untouched[name] for name in RECOMMENDED.keys() - OWN)
    assert existing.shop.conf.task_queues is None
