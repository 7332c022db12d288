"""Channels that hold a value themselves do what LangGraph's do."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from tests.parity.engines import DISTGRAPH, LANGGRAPH, Engine
from tests.parity.observe import kind

Made = Callable[[Engine], Any]
CHANNELS: dict[str, tuple[Made, Sequence[Any]]] = {
    "last": (lambda engine: engine.LastValue(int), ([1], [2], [], [3, 4])),
    "topic": (lambda engine: engine.Topic(str), (["a"], ["b", ["c"]], [], [])),
    "kept topic": (
        lambda engine: engine.Topic(str, accumulate=True),
        (["a"], ["b", ["c"]], [], [["d"]]),
    ),
    "sum": (lambda engine: engine.BinaryOperatorAggregate(int, operator.add), ([1], [2, 3], [])),
    "list": (lambda engine: engine.BinaryOperatorAggregate(list, operator.add), ([], [[1]])),
    "once": (lambda engine: engine.EphemeralValue(int), ([1], [], [], [1, 2])),
    "once of many": (lambda engine: engine.EphemeralValue(int, guard=False), ([1, 2], [])),
    "any": (lambda engine: engine.AnyValue(int), ([1, 2], [], [])),
    "untracked": (lambda engine: engine.UntrackedValue(int), ([1], [2], [], [3, 4])),
    "untracked of many": (lambda engine: engine.UntrackedValue(int, guard=False), ([1, 2], [])),
    "barrier": (
        lambda engine: engine.NamedBarrierValue(int, {7, 8}),
        ([7], [7], [], [9], [8], [8], [7, 8]),
    ),
    "late barrier": (
        lambda engine: engine.NamedBarrierValueAfterFinish(int, {7, 8}),
        ([7], [7], [], [9], [8], [8], [7, 8]),
    ),
    "late": (lambda engine: engine.LastValueAfterFinish(int), ([1], [2, 3], [], [4])),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_channels_hold_what_those_of_langgraph_hold(name: str) -> None:
    assert told(DISTGRAPH, *CHANNELS[name]) == told(LANGGRAPH, *CHANNELS[name])


def told(engine: Engine, made: Made, updates: Sequence[Any]) -> list[Any]:
    channel = made(engine)
    seen = [kind(channel.get), channel.is_available(), channel.key]
    for writes in updates:
        changed = kind(partial(channel.update, writes))
        seen.append((changed, kind(channel.get), channel.is_available()))
        seen.append((channel.consume(), channel.finish()))
    copied, stored = channel.copy(), made(engine).from_checkpoint(channel.checkpoint())
    seen += [kind(copied.get), kind(stored.get), copied.is_available()]
    channel.update([[7]] if kind(channel.get) == [1] else [7])
    return [*seen, kind(channel.get), kind(copied.get), channel == made(engine)]


def test_another_rule_is_another_channel() -> None:
    for engine in (DISTGRAPH, LANGGRAPH):
        made = [make(engine) for make, _ in CHANNELS.values()]
        assert [made.index(one) for one in made] == [0, 1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11, 12]
