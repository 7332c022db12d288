"""The barrier: all results of a superstep become the next checkpoint."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import permutations
from typing import Any

import pytest

from distgraph.channels import AnyValue, EphemeralValue, LastValue, Topic
from distgraph.core.apply import apply_writes
from distgraph.core.graph import Join
from distgraph.core.model import START, UNSAVED, Checkpoint, Completed, Limits, Task
from distgraph.core.plan import plan
from distgraph.core.references import reference
from distgraph.errors import InvalidUpdateError
from distgraph.types import Overwrite, Send
from tests.support.core_graphs import CHANNELS, LIMITS, checkpoint, graph, node, stamp

ABC = graph(node("a"), node("b"), node("c"), node("d", defer=True))
JOIN = Join("join:a+b:c", frozenset("ab"), "c")


def applied(before: Checkpoint, *results: Completed, over: Any = ABC) -> Checkpoint:
    """Apply ``results`` to the planned tasks of ``before``, in plan order."""
    return apply_writes(
        over, before, list(zip(plan(before), results, strict=True)), stamp(), LIMITS
    )


def wrote(*writes: tuple[str, Any], goto: tuple[Any, ...] = ()) -> Completed:
    return Completed(writes, goto)


def test_the_next_checkpoint_follows_its_parent() -> None:
    limits = Limits(10, 20, metadata={"user": "u"}, parents={"": "outer"})
    after = apply_writes(ABC, checkpoint("a"), [(Task("1", "a", 0), wrote())], stamp(), limits)
    assert (after.id, after.parent_id, after.step, after.source) == ("cp-4", "cp-3", 4, "loop")
    assert (after.ts, after.last, after.frontier) == ("now", ("a",), ())
    assert (after.metadata, after.parents) == ({"user": "u"}, {"": "outer"})


def test_writes_are_merged_in_task_order_whatever_order_they_come_in() -> None:
    before = checkpoint("a", "b", Send("c", 1), values={"log": ["x"]})
    done = [(task, wrote(("log", [task.node]))) for task in plan(before)]
    merged = [
        apply_writes(ABC, before, list(order), stamp(), LIMITS).values
        for order in permutations(done)
    ]
    assert merged == [{"log": ["x", "a", "b", "c"]}] * 6


def test_the_checkpoint_it_was_made_from_is_unchanged() -> None:
    before = checkpoint("a", values={"log": ["x"]}, versions={"log": "0.x"})
    applied(before, wrote(("log", ["a"])))
    assert before.values == {"log": ["x"]}
    assert before.versions == {"log": "0.x"}


def test_two_writes_of_a_plain_key_are_refused() -> None:
    with pytest.raises(InvalidUpdateError, match="At key 'last': Can receive only one value"):
        applied(checkpoint("a", "b"), wrote(("last", 1)), wrote(("last", 2)))


def test_an_overwrite_replaces_the_value_of_a_reducer() -> None:
    before = checkpoint("a", "b", values={"log": ["x"]})
    after = applied(before, wrote(("log", Overwrite(["new"]))), wrote(("log", ["b"])))
    assert after.values == {"log": ["new"]}


def test_an_overwrite_that_came_as_json_is_one() -> None:
    before = checkpoint("a", values={"log": ["x"]})
    write = json.loads(json.dumps(asdict(Overwrite(["new"]))))
    assert applied(before, wrote(("log", write))).values == {"log": ["new"]}


def test_a_failing_reducer_names_its_key() -> None:
    with pytest.raises(TypeError) as raised:
        applied(checkpoint("a", values={"log": []}), wrote(("log", 7)))
    assert raised.value.__notes__ == ["While merging 1 write(s) into the state key 'log'"]


def test_only_written_channels_get_a_new_reference() -> None:
    before = checkpoint("a", values={"log": [], "last": 1}, versions={"log": "0.x", "last": "0.x"})
    after = applied(before, wrote(("last", 1)))
    assert after.versions == {"log": "0.x", "last": reference(stamp().id)}


def test_what_a_caller_changed_gets_its_reference_from_the_commit() -> None:
    before = checkpoint("a", values={"last": 1}, versions={"last": UNSAVED})
    assert applied(before, wrote()).versions == {"last": reference(stamp().id)}


def test_it_says_which_channels_the_superstep_wrote() -> None:
    values = {"log": ["x"], "last": 1}
    before = checkpoint("a", values=values, versions={"log": "0.x", "last": UNSAVED})
    assert applied(before, wrote()).changed == {"last"}
    assert applied(before, wrote(("log", []))).changed == {"log", "last"}


def test_an_applied_input_leaves_no_trace_of_itself() -> None:
    before = checkpoint(START, values={START: {"last": 1}}, versions={START: "3.cp-3"})
    after = applied(before, wrote(("last", 1), goto=("a",)))
    assert after.values == {"last": 1}
    assert START not in after.versions


@pytest.mark.parametrize("channel", [AnyValue(Any), EphemeralValue(Any), Topic(Any)])
def test_volatile_channels_fade_when_nobody_writes(channel: Any) -> None:
    fading = graph(node("a"), channels={**CHANNELS, "short": channel})
    before = checkpoint("a", values={"short": [1]}, versions={"short": "0.x"})
    after = applied(before, wrote(), over=fading)
    assert (after.values, after.versions, after.changed) == ({}, {}, frozenset())


def test_what_a_task_chose_runs_next_once() -> None:
    after = applied(checkpoint("a", "b"), wrote(goto=("c", Send("a", 1))), wrote(goto=("c",)))
    assert after.frontier == ("c", Send("a", 1))


def test_a_deferred_node_waits_until_nothing_else_is_left() -> None:
    after = applied(checkpoint("a"), wrote(goto=("b", "d")))
    assert (after.frontier, after.deferred) == (("b",), frozenset("d"))
    last = applied(after, wrote())
    assert (last.frontier, last.deferred) == (("d",), frozenset())


def test_a_join_starts_its_target_when_all_sources_have_come() -> None:
    joined = graph(node("a"), node("b"), node("c"), joins=(JOIN,))
    first = applied(checkpoint("a"), wrote(goto=("b",)), over=joined)
    assert (first.frontier, first.arrived) == (("b",), {JOIN.name: frozenset("a")})
    second = applied(first, wrote(), over=joined)
    assert (second.frontier, second.arrived) == (("c",), {JOIN.name: frozenset("ab")})


def test_a_join_counts_anew_after_it_has_started_its_target() -> None:
    joined = graph(node("a"), node("b"), node("c"), joins=(JOIN,))
    both = applied(checkpoint("a", "b"), wrote(), wrote(goto=("a",)), over=joined)
    assert (both.frontier, both.arrived) == (("a", "c"), {JOIN.name: frozenset("ab")})
    again = applied(both, wrote(), wrote(), over=joined)
    assert again.arrived == {JOIN.name: frozenset("a")}


def test_an_update_leaves_the_target_of_a_complete_join_waiting() -> None:
    joined = graph(node("a"), node("b"), node("c"), joins=(JOIN,))
    both = applied(checkpoint("a", "b"), wrote(), wrote(), over=joined)
    done = [(Task("1", "c", 0), wrote())]
    edited = apply_writes(joined, both, done, stamp(), LIMITS, "update")
    assert edited.frontier == ("c",)


def test_the_authors_are_the_nodes_that_edges_started_last() -> None:
    pulled = applied(checkpoint("a", Send("b", {})), wrote(), wrote())
    assert (pulled.last, pulled.authors) == (("a", "b"), ("a",))
    pushed = applied(replace(pulled, frontier=(Send("b", {}),)), wrote())
    assert (pushed.last, pushed.authors) == (("b",), ("a",))
    done = [(Task("1", "c", 0), wrote())]
    assert apply_writes(ABC, pushed, done, stamp(), LIMITS, "update").authors == ("a",)


def test_a_key_of_one_type_keeps_its_value() -> None:
    assert LastValue(int).merge("k", 1, [2]) == 2
