"""Which calls an attempt leaves to others when its body waits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from checkpoint_redis.layout import TaskState
from checkpoint_redis.readings import OpenTask
from workers.worker import calls
from workers.worker.calls import CallsWish, MadeCalls


def attempt(monkeypatch: pytest.MonkeyPatch, *tasks: OpenTask) -> MadeCalls:
    """Return what an attempt that begins anew finds of the calls of earlier ones."""
    monkeypatch.setattr(calls, "encode_caller", lambda *_: b"caller")
    header = SimpleNamespace(ep="ep", frame=None)
    loaded = SimpleNamespace(header=header, tasks=tasks, writes={}, questions=())
    registry = SimpleNamespace(wide=lambda _: SimpleNamespace(wire=SimpleNamespace(serializer=0)))
    opened: Any = SimpleNamespace(
        desk=SimpleNamespace(
            office=SimpleNamespace(registry=registry), read_calls=lambda *_: loaded
        ),
        served=None, head=SimpleNamespace(graph="graph", fp="1"), config=None,
    )  # fmt: skip
    checkpoint = SimpleNamespace(id="cp", step=1, parents={})
    frame: Any = SimpleNamespace(own_ns="n:t", ns="", task=None, checkpoint=checkpoint, called=1)
    called: Any = SimpleNamespace(stood=lambda _: None, collects_calls=False)
    return MadeCalls(opened, frame, called, has_risen=False)


def stands(tid: str, state: TaskState) -> OpenTask:
    made: Any = dict.fromkeys(OpenTask.__dataclass_fields__, "")
    return OpenTask(**{**made, "tid": tid, "st": state})


def test_what_waits_of_an_earlier_round_goes_on_though_the_body_has_not_come_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states = {"a": TaskState.failed, "b": TaskState.parked, "c": TaskState.done}
    made = attempt(monkeypatch, *(stands(*each) for each in states.items()))
    node: Any = SimpleNamespace(id="a", index=0)
    made.note(node, SimpleNamespace())  # type: ignore[arg-type]
    left = made.leave()
    assert isinstance(left, CallsWish)
    assert [each.tid for each in left.again] == ["a", "b"]
