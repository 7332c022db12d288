"""What becomes of another namespace's job that a worker has fetched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from kombu.message import Message

from distgraph.errors import BrokerUnavailable
from tests.support import entries
from workers.broker.publisher import CeleryPublisher
from workers.shared.hints import NOTHING_FOLLOWS
from workers.worker import asked
from workers.worker.meeting import (
    HANDED_ON,
    LONGEST_PAUSE,
    MOST_A_SECOND,
    MOST_HELD,
    MOST_SHOWN,
    MOST_TIMES,
    HandingOn,
    Meetings,
)

QUEUE = "gpu"


@dataclass
class Outside:
    """A worker's consumer, its timer and its broker, as far as they are asked."""

    sent: list[tuple[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    later: list[Callable[[], None]] = field(default_factory=list)
    connection_errors: tuple[type[Exception], ...] = ()
    away: bool = False

    @property
    def timer(self) -> Outside:
        return self

    @property
    def task_consumer(self) -> Outside:
        return self

    def consuming_from(self, queue: str) -> bool:
        return queue == QUEUE

    def call_after(self, pause: float, do: Callable[..., None], args: Any) -> None:
        self.pauses.append(pause)
        self.later.append(lambda: do(*args))

    def again(self, _: Message, queue: str, told: dict[str, Any]) -> None:
        if self.away:
            raise BrokerUnavailable("The broker is away")
        self.sent.append((queue, told[HANDED_ON]))


class Taken(Message):
    """A message that notes what a worker says of it."""

    acknowledged_in_time = given_back = False

    def reject_log_error(self, *_: Any, requeue: bool = False, **__: Any) -> None:
        self.given_back = requeue

    def ack_log_error(self, *_: Any, **__: Any) -> None:
        self.acknowledged_in_time = True


def job(task: Any = "other.step", queue: Any = QUEUE, **headers: Any) -> Taken:
    given = entries.message(task, queue)
    return Taken(
        body=json.dumps([entries.hint(), {}, dict(NOTHING_FOLLOWS)]),
        content_type="application/json",
        content_encoding="utf-8",
        headers={**given["headers"], **headers},
        properties=given["properties"],
        delivery_info=given["properties"]["delivery_info"],
    )


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def handing(outside: Outside) -> HandingOn:
    return HandingOn(cast("CeleryPublisher", outside), Meetings("mine"), "mine")


def test_it_is_put_back_at_once_and_says_by_whom(handing: HandingOn, outside: Outside) -> None:
    message = job()
    assert handing.takes(outside, message)
    assert message.acknowledged_in_time
    assert outside.sent == [(QUEUE, ["mine", 1])]
    assert outside.pauses == []


def test_one_that_comes_back_is_held_ever_longer_every_second_time(
    handing: HandingOn, outside: Outside
) -> None:
    for times in (1, 2, 3, 4, 5, 101):
        assert handing.takes(outside, job(**{HANDED_ON: ["third", times]}))
    assert [told[1] for _, told in outside.sent] == [3, 5]
    for send in outside.later:
        send()
    assert [told[1] for _, told in outside.sent] == [3, 5, 2, 4, 6, 102]
    assert outside.pauses == [0.02, 0.04, 0.08, LONGEST_PAUSE]


def test_what_is_held_goes_when_the_worker_does_and_only_once(
    handing: HandingOn, outside: Outside
) -> None:
    handing.takes(outside, job(**{HANDED_ON: ["third", 9]}))
    handing.end()
    for send in outside.later:
        send()
    assert outside.sent == [(QUEUE, ["mine", 10])]


def test_what_comes_to_a_worker_that_leaves_stays_in_the_queue_until_it_is_back(
    handing: HandingOn, outside: Outside
) -> None:
    handing.end()
    message = job()
    assert handing.takes(outside, message)
    assert (message.given_back, outside.sent) == (True, [])
    handing.begin()
    assert handing.takes(outside, job())
    assert outside.sent == [(QUEUE, ["mine", 1])]


def test_one_that_nobody_takes_is_not_handed_on_for_ever(
    handing: HandingOn, outside: Outside
) -> None:
    message = job(**{HANDED_ON: ["third", MOST_TIMES]})
    assert not handing.takes(outside, message)
    assert not message.acknowledged_in_time


def test_so_many_are_held_and_no_more(handing: HandingOn, outside: Outside) -> None:
    message = job(**{HANDED_ON: ["third", 1]})
    assert all(handing.takes(outside, message) for _ in range(MOST_HELD))
    assert not handing.takes(outside, message)
    assert outside.pauses[-1] == (MOST_HELD - 1) / MOST_A_SECOND


def test_a_broker_that_is_away_is_no_error_of_the_workers(
    handing: HandingOn, outside: Outside
) -> None:
    outside.away = True
    assert handing.takes(outside, job())


@pytest.mark.parametrize(
    "message",
    [
        job("os.system"),
        job("shop.tasks.step"),
        job("Other.step"),
        job(queue="elsewhere"),
        job(queue=["gpu"]),
        job(id=5),
        job(eta="2030-01-01"),
    ],
    ids=["task", "module", "namespace", "queue", "no-queue", "id", "eta"],
)
def test_what_is_no_job_of_another_namespace_is_left_alone(
    handing: HandingOn, outside: Outside, message: Message
) -> None:
    assert not handing.takes(outside, message)
    assert (outside.sent, outside.pauses) == ([], [])


def test_an_array_of_tasks_that_is_no_hint_is_left_alone(
    handing: HandingOn, outside: Outside
) -> None:
    message = job()
    message.body = json.dumps([[1, 2], {}, {}])
    assert not handing.takes(outside, message)


@pytest.mark.parametrize("value", [5, "x", [], ["mine"], ["A B", 1], ["b", -1], [1, "b"], {"b": 1}])
def test_a_header_that_nobody_of_us_wrote_counts_as_none(
    handing: HandingOn, outside: Outside, value: Any
) -> None:
    assert handing.takes(outside, job(**{HANDED_ON: value}))
    assert outside.sent == [(QUEUE, ["mine", 1])]


def test_who_gets_a_job_that_was_handed_on_knows_of_the_meeting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meetings = Meetings("other")
    found = asked.read(job(**{HANDED_ON: ["mine", 3]}), "other.step")
    assert found is not None
    meetings.look(found.headers, QUEUE)
    assert meetings.of_late() == ((QUEUE, "mine"),)
    assert "Namespaces 'other' and 'mine' meet in queue 'gpu'" in caplog.text


def test_a_meeting_is_logged_once_and_so_many_are_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meetings = Meetings("mine")
    for n in range(2 * MOST_SHOWN):
        meetings.note(QUEUE, f"n{n}")
        meetings.note(QUEUE, f"n{n}")
    assert len(caplog.records) == len(meetings.of_late()) == MOST_SHOWN


def test_a_meeting_that_is_over_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    meetings = Meetings("mine")
    monkeypatch.setattr("time.monotonic", lambda: 1_000.0)
    meetings.note(QUEUE, "other")
    monkeypatch.setattr("time.monotonic", lambda: 1_301.0)
    assert meetings.of_late() == ()
