"""Which messages ask for a job, and what Celery is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kombu.message import Message

from tests.support import entries
from workers.broker.publisher import headers
from workers.shared import hints
from workers.shared.hints import NOTHING_FOLLOWS
from workers.worker import asked
from workers.worker.dropped import Dropped, Reason

TASK = "t.step"


def received(content: Any = None, **changes: Any) -> Message:
    """Return a message as kombu hands it over, with changes of what it says."""
    given = entries.message(TASK, "queue")
    text = json.dumps(content or [entries.hint(), {}, dict(NOTHING_FOLLOWS)])
    found = Message(
        body=text,
        content_type=given["content-type"],
        content_encoding=given["content-encoding"],
        headers={**given["headers"], **changes.pop("headers", {})},
        properties={**given["properties"], **changes.pop("properties", {})},
        delivery_info=given["properties"]["delivery_info"],
    )
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_a_hint_is_read() -> None:
    message = received()
    found = asked.read(message, TASK)
    assert found is not None
    assert found.headers["id"] == message.headers["id"]
    assert found.properties == message.properties


@pytest.mark.parametrize("tid", ["0b1f7e2c-9d3a-4c55-8e61-2f4a7b90c3d8", hints.ADVANCE])
def test_what_we_publish_is_read_without_being_decoded(
    monkeypatch: pytest.MonkeyPatch, tid: str
) -> None:
    args = (*entries.hint()[:-1], [tid])
    message = received(body=hints.body(args).encode())
    monkeypatch.setattr(Message, "decode", None)
    assert asked.read(message, TASK) is not None
    assert hints.read_body(message.body) == hints.read(list(args))


@pytest.mark.parametrize("at", range(0, 172, 9))
def test_a_body_that_was_changed_is_not_taken_for_what_we_publish(at: int) -> None:
    body = hints.body(tuple(entries.hint())).encode()
    assert hints.read_body(body) is not None
    assert hints.read_body(body[:at] + b"~" + body[at + 1 :]) is None
    assert hints.read_body(body[:at] + b"~" + body[at:]) is None


def test_what_celerys_own_publisher_adds_is_read() -> None:
    sent = {"eta": None, "expires": None, "timelimit": [None, None], "retries": 0, "shadow": None}
    assert asked.read(received(headers={**sent, "origin": "gen1@host"}), TASK) is not None
    assert asked.read(received(content=[entries.hint(), {}, None]), TASK) is not None


def test_only_what_celery_does_not_read_is_passed_on_from_a_message() -> None:
    tracing = {"traceparent": "00-1", "headers": {"sentry-trace": "1", "baggage": ["a"]}}
    others = {"clear": 5, "called_directly": True, "stamps": {"a": 1}, "deep": [[[[1]]]]}
    message = received(headers={**tracing, **others, "argsrepr": "x", "root_id": "other"})
    found = asked.read(message, TASK)
    assert found is not None
    job = message.headers["id"]
    tids = json.loads(str(message.body))[0][-1]
    assert found.headers == {**headers(TASK, job, entries.X, tids, "graph.node"), **tracing}


def test_a_property_that_is_not_known_is_not_passed_on() -> None:
    found = asked.read(received(properties={"application_headers": {"a": [1]}}), TASK)
    assert found is not None
    assert "application_headers" not in found.properties


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("graph.node", "graph.node"),
        ("grün.knoten", "grün.knoten"),
        (None, None),
        ("two\nlines", None),
        ("half \ud83d", None),
        ("x" * 256, None),
    ],
)
def test_a_job_is_called_as_its_publisher_says_if_that_is_a_name(
    given: str | None, known: str | None
) -> None:
    found = asked.read(received(headers={"shadow": given}), TASK)
    assert found is not None
    assert found.headers["shadow"] == known


@pytest.mark.parametrize("task", ["other", "", None])
def test_a_message_of_another_task_is_none_of_ours(task: str | None) -> None:
    assert asked.read(received(headers={"task": task}), TASK) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"delivery_info": []},
        {"delivery_info": {"exchange": []}},
        {"headers": {"eta": "2030-01-01T00:00:00"}},
        {"headers": {"timelimit": [1, None]}},
        {"properties": {"priority": []}},
        {"content_type": "text/plain"},
        {"content_encoding": None},
        {"content": [entries.hint(), {}, {"chain": ["x"]}]},
        {"content": [entries.hint(), {"more": 1}, {}]},
        {"content": [[], {}, {}]},
    ],
)
def test_what_is_not_in_the_form_asks_for_nothing(changes: dict[str, Any]) -> None:
    assert asked.read(received(**changes), TASK) is None


def test_of_what_is_dropped_the_first_of_each_reason_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    dropped = Dropped()
    for _ in range(3):
        dropped.note(Reason.garbled, deep)
        dropped.note(Reason.no_hint, "\ud800" + "x" * 10_000)
    assert dropped.counts() == {"garbled": 3, "no_hint": 3}
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("A garbled message was ignored: [[")
    assert "\\ud800xx" in second
    assert max(len(first), len(second)) < 400
