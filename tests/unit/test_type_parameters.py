"""What is generic for type checkers is at run time what it was."""

from __future__ import annotations

import pickle
from typing import Any, Literal, TypedDict, get_type_hints

import pytest

from distgraph.graph import CompiledStateGraph, StateGraph
from distgraph.runtime import Runtime
from distgraph.types import Command, StateSnapshot
from workers import CeleryBackend, Run, Settings
from workers.client.run import CeleryRun
from workers.settings import MoreSettings


class State(TypedDict):
    count: int


NAMED = {"redis", "broker", "namespace"}
"""The settings that are arguments of a backend's own."""


def test_type_checkers_know_every_setting() -> None:
    assert get_type_hints(MoreSettings).keys() == Settings.model_fields.keys() - NAMED


def test_a_setting_is_converted_by_pydantic_alone() -> None:
    written: dict[str, Any] = {"lease": "30", "metadata_keys": ["tenant"]}
    settings = CeleryBackend(**written).settings
    assert (settings.lease, settings.metadata_keys) == (30.0, ("tenant",))


@pytest.mark.parametrize(
    "made",
    [
        CompiledStateGraph[State],
        CompiledStateGraph[State, Any, State, State],
        StateGraph[State],
        StateSnapshot[State],
        Command[Literal["a"]],
        Command[Literal["a"], State],
        Runtime[State],
        Run[State],
    ],
    ids=str,
)
def test_types_may_be_left_out_from_the_right(made: Any) -> None:
    assert made.__args__[0] in (State, Literal["a"])


def test_records_stay_plain_records() -> None:
    snapshot = StateSnapshot({"count": 1}, (), {}, None, None, None, (), ())
    for record in (snapshot, Command(goto="a"), Runtime(context={"user": "ada"})):
        assert pickle.loads(pickle.dumps(record)) == record
    assert not hasattr(Command(goto="a"), "__dict__")
    assert snapshot._replace(next=("a",))[1] == ("a",)


def test_the_handle_of_a_run_is_a_run() -> None:
    assert issubclass(CeleryRun, Run)
    assert not CeleryRun.__abstractmethods__
