"""Which lists a superstep only appended to: told by the identity of what they held."""

from __future__ import annotations

from dataclasses import replace
from operator import add
from typing import Annotated, Any

import pytest

from distgraph.channels import BinaryOperatorAggregate, LastValue, Topic
from distgraph.core.apply import apply_writes
from distgraph.core.model import Checkpoint, Completed, ThreadState
from distgraph.core.plan import plan, with_caller_writes
from distgraph.core.references import reference
from distgraph.graph.message import add_messages
from distgraph.graph.schema import channels_of
from distgraph.types import Overwrite
from tests.support.core_graphs import LIMITS, checkpoint, graph, node, stamp

ITEMS: list[Any] = [{"n": 1}, {"n": 2}]
MESSAGES = add_messages([], [("user", "a"), ("ai", "b")])
OVER = graph(
    node("a"),
    node("b"),
    channels={
        "log": BinaryOperatorAggregate(list, add),
        "talk": BinaryOperatorAggregate(list, add_messages),
        "own": BinaryOperatorAggregate(list, lambda old, new: old + new),
        "last": LastValue(list),
    },
)


def before(*frontier: str) -> Checkpoint:
    values = {"log": ITEMS, "talk": MESSAGES, "own": ITEMS, "last": ITEMS}
    return checkpoint(*(frontier or ("a",)), values=values, versions=dict.fromkeys(values, "v"))


def grown(*writes: tuple[str, Any], of: Checkpoint | None = None) -> dict[str, str]:
    start = of or before()
    results = [Completed(writes), *[Completed(writes)] * (len(plan(start)) - 1)]
    done = list(zip(plan(start), results, strict=True))
    return dict(apply_writes(OVER, start, done, stamp(), LIMITS).grown)


@pytest.mark.parametrize("added", [[{"n": 3}], [], [1, 2, 3]])
def test_what_is_added_stands_behind_the_version_before(added: list[Any]) -> None:
    assert grown(("log", added)) == {"log": "v"}


def test_two_tasks_of_a_superstep_append_to_the_same_list() -> None:
    assert grown(("log", [1]), of=before("a", "b")) == {"log": "v"}


def test_new_messages_stand_behind_the_others() -> None:
    assert grown(("talk", ("user", "c"))) == {"talk": "v"}


def test_a_message_that_replaces_another_begins_the_list_anew() -> None:
    again = {"role": "user", "content": "other", "id": MESSAGES[0].id}
    assert grown(("talk", again)) == {"talk": ""}


def test_a_removed_message_begins_the_list_anew() -> None:
    gone = {"role": "remove", "id": MESSAGES[0].id}
    assert grown(("talk", gone)) == {"talk": ""}


def test_an_overwritten_list_begins_anew() -> None:
    assert grown(("log", Overwrite([{"n": 1}, {"n": 2}, 3]))) == {"log": ""}


def test_one_that_was_overwritten_with_its_own_items_goes_on() -> None:
    assert grown(("log", Overwrite([*ITEMS, 3]))) == {"log": "v"}


def test_only_the_reducers_that_append_are_known() -> None:
    assert grown(("own", [3]), ("last", [*ITEMS, 3])) == {}


def test_a_list_that_was_empty_goes_on_from_nothing() -> None:
    start = checkpoint("a", values={"log": []}, versions={"log": "-"})
    assert grown(("log", [1]), of=start) == {"log": "-"}
    assert grown(("log", [1]), of=checkpoint("a")) == {"log": ""}


def test_what_a_caller_added_before_goes_on_from_what_is_stored() -> None:
    state = ThreadState(before(), caller_writes=(Completed((("log", [3]),)),))
    opened = with_caller_writes(OVER, state)
    assert grown(("log", [4]), of=opened) == {"log": "v"}
    assert grown(of=opened) == {"log": "v"}


def test_what_a_caller_replaced_goes_on_from_nothing() -> None:
    state = ThreadState(before(), caller_writes=(Completed((("log", Overwrite([3])),)),))
    opened = with_caller_writes(OVER, state)
    assert grown(("log", [4]), of=opened) == {"log": ""}


def test_what_the_superstep_before_wrote_is_not_taken_for_it() -> None:
    start = replace(before(), changed=frozenset({"log"}), grown={"log": "older"})
    assert grown(of=start) == {}
    assert reference(stamp().id) != "older"


def test_the_reducer_of_a_schema_tells_whether_it_appends() -> None:
    class State:
        log: Annotated[list[int], add]
        talk: Annotated[list[Any], add_messages]
        also: Annotated[list[Any], add_messages()]
        last: list[int]
        topic: Annotated[list[int], Topic(int)]

    found = channels_of(State)
    assert {name for name, channel in found.items() if channel.appends} == {"log", "talk", "also"}
