"""What an attempt stores of the graphs that it calls, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from checkpoint_redis.keys import Thread
from checkpoint_redis.records import InnerEntry
from checkpoint_redis.replies import ClaimedTask
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import CheckpointMetadata
from distgraph.checkpoint.base.types import INTERRUPT, RESUME
from distgraph.checkpoint.conformance import at, make
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Completed, Interrupted
from workers.worker.called import Called, GivenUp
from workers.worker.calledsaver import CalledSaver

NS = "node:t1"


class Desk:
    """A desk that notes what it is given; `refuses`: the attempt was given up."""

    def __init__(self) -> None:
        self.thread = Thread("ns", "t")
        self.kept: list[InnerEntry] = []
        self.refuses = False

    def keep_inner(self, tid: str, entry: InnerEntry) -> str | None:
        assert tid == "t1"
        if self.refuses:
            return None
        self.kept.append(entry)
        return f"e{len(self.kept)}"

    def read_inner(self, *_: Any) -> tuple[Any, None]:
        header = SimpleNamespace(ep="read", cp="", frame=None)
        return SimpleNamespace(header=header, tasks=(), log=(), failure=b""), None


class Work:
    """An attempt at the task t1, and the frame of a graph that it calls."""

    def __init__(self) -> None:
        self.desk = Desk()
        given: Any = self.desk
        self.called = Called(given, ClaimedTask("t1", "ok"), JsonPlusSerializer())
        self.saver = CalledSaver(self.called, Archive("ns", JsonPlusSerializer()))
        self.head = ""

    def put(self, source: Any = "loop", *tasks: str) -> None:
        checkpoint: Any = {**make({"c": 1}, self.head or None), "frontier": list(tasks)}
        metadata: CheckpointMetadata = {"source": source, "step": 0, "parents": {}}
        self.saver.put(at("t", self.head or None, NS), checkpoint, metadata, {})
        self.head = checkpoint["id"]

    def left(self, task: str, channel: str = "c") -> None:
        self.saver.put_writes(at("t", self.head, NS), [(channel, 1)], task)

    @property
    def kept(self) -> list[tuple[int, int]]:
        """How many records and checkpoints each write had."""
        return [(len(entry.records), len(entry.checkpoints)) for entry in self.desk.kept]


def test_an_input_goes_with_what_it_led_to() -> None:
    work = Work()
    work.put("input", "a")
    assert work.kept == []
    work.put("loop", "a")
    assert work.kept == [(0, 2)]


def test_the_last_result_goes_with_the_checkpoint_after_it() -> None:
    work = Work()
    work.put("loop", "a", "b")
    work.left("a")
    assert work.kept == [(0, 1), (1, 0)]
    work.left("b")
    assert work.kept == [(0, 1), (1, 0)]
    work.put()
    assert work.kept == [(0, 1), (1, 0), (1, 1)]
    assert [entry.seen for entry in work.desk.kept] == ["", "e1", "e2"]


def test_a_question_is_stored_at_once_and_an_answer_with_what_follows() -> None:
    work = Work()
    work.put("loop", "a")
    work.left("a", RESUME)
    assert work.kept == [(0, 1)]
    work.left("a", INTERRUPT)
    assert work.kept == [(0, 1), (2, 0)]


def test_what_is_left_of_a_task_that_is_not_done_is_stored() -> None:
    work = Work()
    work.put("loop", "a")
    work.left("a")
    assert not work.called.is_given_up(Completed())
    assert work.kept == [(0, 1)]
    assert not work.called.is_given_up(Interrupted(()))
    assert work.kept == [(0, 1), (1, 0)]


def test_a_frame_is_stored_before_it_is_read() -> None:
    work = Work()
    work.put("loop", "a")
    work.left("a")
    assert work.saver.get_tuple(at("t", None, NS)) is None
    assert work.kept == [(0, 1), (1, 0)]
    work.put()
    assert work.desk.kept[-1].seen == "read"


def test_an_attempt_that_was_given_up_ends_and_counts_no_more() -> None:
    work = Work()
    work.put("loop", "a")
    work.desk.refuses = True
    with pytest.raises(GivenUp):
        work.put()
    with pytest.raises(GivenUp):
        work.left("a")
    with pytest.raises(GivenUp):
        work.saver.get_tuple(at("t", None, NS))
    assert work.called.is_given_up(Completed())


def test_it_may_turn_out_at_the_end_that_an_attempt_was_given_up() -> None:
    work = Work()
    work.put("loop", "a")
    work.left("a")
    work.desk.refuses = True
    assert work.called.is_given_up(Interrupted(()))
