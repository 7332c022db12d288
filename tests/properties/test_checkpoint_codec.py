"""Whatever a frame's state is, every saver gives back exactly that state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.base.id import next_id
from distgraph.checkpoint.codec import decode, encode_checkpoint
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.pending import encode_changes
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.core.model import (
    START,
    Answer,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Question,
    Slot,
    ThreadState,
)
from distgraph.types import Command, Interrupt, Send

pytestmark = pytest.mark.no_cover
text = st.text(max_size=5)
names = st.sampled_from(["a", "b", "c", "node with space", "ä"])
channels = st.sampled_from(["xs", "n", "__root__", "channel:1", START])
task_ids = st.sampled_from(["1", "2", "3"]).map(lambda n: f"{n * 8}-0000-0000-0000-000000000000")
namespaces = st.sampled_from(["", "a:1", "a:1|b:2"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | text | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner, inner)
        | st.dictionaries(text, inner, max_size=2)
        | st.builds(Send, names, inner)
    ),
    max_leaves=4,
)
targets = st.lists(names | st.builds(Send, names, values), max_size=4, unique_by=repr).map(tuple)
completed = st.builds(
    Completed, st.lists(st.tuples(channels, values), max_size=3).map(tuple), targets
)
# A question that has an answer is not pending, so their ids differ.
slots = st.builds(Slot, text, st.integers(0, 2), text, st.integers(0, 2))
answers = st.builds(Answer, text.map("a{}".format), namespaces, values, slots)
asked = st.builds(Interrupt, values, text.map("q{}".format))
questions = st.builds(Question, asked, namespaces, slot=slots)


@st.composite
def checkpoints(draw: st.DrawFn) -> Checkpoint:
    held = draw(st.dictionaries(channels, values, max_size=4))
    parent = draw(st.none() | st.just(next_id(None)))
    return Checkpoint(
        id=next_id(parent),
        parent_id=parent,
        step=draw(st.integers(-1, 9)),
        source=draw(st.sampled_from(["input", "loop", "update", "fork"])),
        ts="2024-01-01T00:00:00+00:00",
        values=held,
        versions={
            name: draw(st.from_regex(r"[0-9]\.[0-9a-f]{4}", fullmatch=True)) for name in held
        },
        changed=frozenset(
            draw(st.lists(st.sampled_from(sorted(held)), max_size=2)) if held else ()
        ),
        frontier=draw(targets | st.just((START,))),
        arrived=draw(
            st.dictionaries(
                st.sampled_from(["join:a+b:c", "join:a+c:d"]), st.frozensets(names), max_size=2
            )
        ),
        deferred=draw(st.frozensets(names)),
        last=draw(st.lists(names, max_size=3).map(tuple)),
        authors=draw(st.lists(names, max_size=2).map(tuple)),
        metadata=draw(st.dictionaries(st.sampled_from(["user", "run_id"]), text)),
        parents=draw(st.dictionaries(namespaces, text)),
    )


def thread_states() -> st.SearchStrategy[ThreadState]:
    results: st.SearchStrategy[Any] = (
        completed
        | st.builds(Escaped, st.builds(Command, update=values, goto=names))
        | st.builds(Interrupted, st.lists(questions, min_size=1, max_size=2).map(tuple))
        | st.builds(
            Errored,
            text,
            text,
            text,
            st.lists(values, max_size=2).map(tuple),
            st.lists(text, max_size=2).map(tuple),
        )
    )
    in_order = partial(sorted, key=lambda answer: answer.slot.index)
    given_answers = st.lists(answers, min_size=1, max_size=2).map(in_order).map(tuple)
    return st.builds(
        ThreadState,
        checkpoint=checkpoints(),
        results=st.dictionaries(task_ids, results, max_size=3),
        answers=st.dictionaries(task_ids, given_answers, max_size=2),
        caller_writes=st.lists(completed, max_size=2).map(tuple),
        released=st.sampled_from(["", "1ef00000-0000-6000-8000-000000000000"]),
    )


states = thread_states()


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest) -> Iterator[BaseCheckpointSaver]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield InMemorySaver()
        else:
            yield stack.enter_context(SqliteSaver.from_conn_string(":memory:"))


def place(thread: str, checkpoint_id: str | None) -> dict[str, Any]:
    given = {"thread_id": thread, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}
    return {"configurable": given}


def store(saver: BaseCheckpointSaver, before: ThreadState | None, after: ThreadState) -> None:
    if before is None:
        parent = after.checkpoint.parent_id
        saver.put(place("t", parent), *encode_checkpoint(after.checkpoint, {}))
    for task, writes in encode_changes(before, after):
        saver.put_writes(place("t", after.checkpoint.id), writes, task)


def load(saver: BaseCheckpointSaver, checkpoint_id: str) -> ThreadState:
    found = saver.get_tuple(place("t", checkpoint_id))
    assert found is not None
    return decode(found)


@given(state=states)
def test_a_saver_gives_back_the_state_that_was_stored(
    saver: BaseCheckpointSaver, state: ThreadState
) -> None:
    store(saver, None, state)
    assert load(saver, state.checkpoint.id) == state


@settings(max_examples=50)
@given(first=states, second=states)
def test_storing_the_changes_makes_one_state_into_another(
    saver: BaseCheckpointSaver, first: ThreadState, second: ThreadState
) -> None:
    done = {task: r for task, r in first.results.items() if isinstance(r, Completed)}
    later = replace(second, checkpoint=first.checkpoint, results={**second.results, **done})
    store(saver, None, first)
    store(saver, first, later)
    assert load(saver, first.checkpoint.id) == later
