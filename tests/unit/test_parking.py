"""What is stored for a task that waits for the graph that its node is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest

from checkpoint_redis.bundles import Bundle
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import TaskState
from checkpoint_redis.readings import OpenTask
from checkpoint_redis.records import AgainEntry, CheckpointEntry
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.frame import Invocation
from distgraph.core.model import Answer, Checkpoint, Task, ThreadState
from distgraph.engine import Execute, Load, Start
from distgraph.errors import SerializationError
from distgraph.graph import START, StateGraph
from distgraph.runners.backend import Job, Place
from distgraph.types import Send
from workers.shared.runconfig import RunConfig
from workers.shared.wire import Wire
from workers.worker.called import CalledFrame, Wish
from workers.worker.parking import to_park

WIRE = Wire(JsonPlusSerializer(), {"slow": "ns.slow"})
RUN = RunConfig({}, None, None, 25, frozenset(), frozenset(), {})
HERE = Checkpoint("cp", None, 3, "loop", "")


class State(TypedDict, total=False):
    """One number."""

    n: int


def inner() -> Any:
    made = StateGraph(State).add_node("a", lambda _: {}, queue="slow", priority=3)
    made.add_node("b", lambda _: {}).add_edge(START, "a").add_edge(START, "b")
    return made.compile(name="inner").graph


def nothing() -> Iterator[Any]:
    yield Load()


def wish(frame: CalledFrame, *tasks: Task, config: Any = None, **state: Any) -> Wish:
    start = Start({}, 25, parents={"": "root"})
    program: Any = nothing()
    job = Job(inner(), program, Place("t", "in:1"), Invocation(config or {}), start)
    return Wish(job, Execute(ThreadState(HERE, **state), tasks, 9), frame)


def opened(tid: str, st: TaskState, *answers: bytes) -> OpenTask:
    return OpenTask(tid, st, "", 1, 0, "", "", 0, 0, "", "", b"", answers, None)


def frame(*tasks: OpenTask, head: str = "cp") -> CalledFrame:
    return CalledFrame(FrameName("in:1", "inner", "fp"), "e1", head=head, opened=tasks)


def answer(value: Any) -> Answer:
    return Answer("0" * 32, "in:1", value)


A, B = Task("t-a", "a", 0), Task("t-b", "b", 0)


def test_a_new_superstep_has_its_tasks_with_their_queues_and_names() -> None:
    entry = to_park(WIRE, wish(frame(), A, B), RUN)
    assert entry.step is not None
    queued = [(t.id, t.queue, t.priority, t.name) for t in entry.step.tasks]
    assert queued == [("t-a", "ns.slow", 3, "inner.a"), ("t-b", "", 0, "inner.b")]
    assert (entry.step.checkpoints, entry.stop, entry.released) == ((), 9, "")
    assert (entry.inner.frame.graph, entry.inner.seen) == ("inner", "e1")


def test_what_was_sent_stands_with_the_checkpoint() -> None:
    stored = frame()
    stored.checkpoints.append(CheckpointEntry("cp", b"", 3, packets=(Bundle("b1", (b"",)),)))
    sent = Task("t-s", "a", 0, Send("a", "argument"))
    entry = to_park(WIRE, wish(stored, sent), RUN)
    assert entry.step is not None
    (task,) = entry.step.tasks
    assert task.packet
    assert b"argument" not in task.blob


def test_what_was_sent_before_stands_with_its_task() -> None:
    entry = to_park(WIRE, wish(frame(), Task("t-s", "a", 0, Send("a", "argument"))), RUN)
    assert entry.step is not None
    assert b"argument" in entry.step.tasks[0].blob


@pytest.mark.parametrize(
    ("st", "again"),
    [
        (TaskState.failed, True),
        (TaskState.interrupted, True),
        (TaskState.parked, True),
        (TaskState.done, True),
        (TaskState.queued, False),
        (TaskState.running, False),
        (TaskState.backing_off, False),
    ],
)
def test_an_open_superstep_goes_on_with_what_nobody_runs(st: TaskState, again: bool) -> None:
    entry = to_park(WIRE, wish(frame(opened("t-a", st)), A), RUN)
    assert entry.step is None
    assert entry.again == ((AgainEntry("t-a"),) if again else ())


def test_an_answered_task_gets_what_it_has_not_got_yet() -> None:
    stands = frame(opened("t-a", TaskState.interrupted, b"first"))
    entry = to_park(WIRE, wish(stands, A, answers={"t-a": (answer(1), answer(2))}), RUN)
    assert entry.again == (AgainEntry("t-a", (WIRE.answer(answer(2)),)),)


@pytest.mark.parametrize(
    "stands",
    [
        frame(opened("t-a", TaskState.failed), head="another"),
        frame(opened("t-x", TaskState.failed)),
    ],
)
def test_another_superstep_is_a_new_one(stands: CalledFrame) -> None:
    assert to_park(WIRE, wish(stands, A), RUN).step is not None


def test_what_cannot_be_stored_of_the_call_is_a_clear_error() -> None:
    with pytest.raises(SerializationError):
        to_park(WIRE, wish(frame(), A, config={"metadata": {"lock": object()}}), RUN)
