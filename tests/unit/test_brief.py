"""What messages say of a value: its kind, and nothing of what is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from checkpoint_redis.commands import read
from distgraph._brief import brief
from distgraph.checkpoint import records
from distgraph.checkpoint.pending import decode_writes
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Checkpoint, Commit, Completed, Left, Task
from distgraph.errors import DistGraphError, ParentCommand
from distgraph.graph import add_messages
from distgraph.types import Command
from tests.support.chains import CONFIG, compiled
from workers.shared.wire import Wire

SECRET = "the customer's secret"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "None"),
        (True, "True"),
        (7, "7"),
        (10**9, "int"),
        ([], "[]"),
        ("", "''"),
        (SECRET, "str of 21"),
        (b"1234", "bytes of 4"),
        ([1, SECRET], "list of 2 (int, str)"),
        ((SECRET,) * 9, "tuple of 9 (str, str, str, str, str, str, ...)"),
        ({SECRET: SECRET}, "dict of 1"),
        (Command(update={"x": SECRET}), "Command"),
    ],
)
def test_a_value_is_named_by_its_kind(value: Any, said: str) -> None:
    assert brief(value) == said


def returned(value: Any) -> Callable[[], Any]:
    return lambda: compiled(a=lambda _state: value).invoke({}, CONFIG)


HERE = Checkpoint("1", None, 0, "loop", "")
WIRE = Wire(JsonPlusSerializer())
GRAPH = compiled(a=lambda _state: None)


@pytest.mark.parametrize(
    "does",
    [
        returned([SECRET]),
        returned(SECRET),
        returned(Command(goto=[(SECRET,)])),
        lambda: GRAPH.update_state(CONFIG, {}, as_node=[SECRET]),  # type: ignore[arg-type]
        lambda: GRAPH.bulk_update_state(CONFIG, [[{"values": SECRET}]]),  # type: ignore[list-item]
        lambda: records.unpack_result([SECRET]),
        lambda: records.unpack_checkpoint({"values": SECRET}, {}),
        lambda: records.unpack_answer([SECRET]),
        lambda: decode_writes(HERE, [("t", "x", 1), ("t", "__pregel_tasks", SECRET)]),
        lambda: decode_writes(HERE, [("t", "__resume__", {"a": SECRET})]),
        lambda: add_messages([], [("user", SECRET, SECRET)]),
        lambda: add_messages([], {"text": SECRET}),
        lambda: add_messages([], {"role": "nobody", "content": SECRET}),
        lambda: read.record(f'{{"x": "{SECRET}"}}'.encode()),
        lambda: read.items(f"1:2:{SECRET}".encode()),
        lambda: WIRE.superstep(GRAPH.graph, "e", (), Left(Command(update=SECRET))),
        lambda: WIRE.superstep(
            GRAPH.graph, "e", (), Commit(((Task("1", "a", 0), Completed((("x", SECRET),))),))
        ),
    ],
)
def test_no_message_tells_what_is_in_a_state(does: Callable[[], Any]) -> None:
    with pytest.raises((DistGraphError, TypeError, ValueError)) as caught:
        does()
    notes = getattr(caught.value, "__notes__", ())
    assert SECRET not in "\n".join([str(caught.value), *notes])
    assert str(caught.value)


def test_a_command_on_its_way_out_keeps_to_itself() -> None:
    raised = ParentCommand(Command(update={"x": SECRET}))
    assert SECRET not in str(raised)
    assert raised.command.update == {"x": SECRET}
