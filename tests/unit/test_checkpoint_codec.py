"""What a frame's state looks like to a saver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from distgraph.checkpoint.base import CheckpointTuple
from distgraph.checkpoint.codec import decode, decode_checkpoint, encode_checkpoint
from distgraph.checkpoint.pending import (
    encode_answers,
    encode_caller_writes,
    encode_changes,
    encode_released,
    encode_result,
)
from distgraph.core.begin import replay
from distgraph.core.model import (
    NULL_TASK,
    START,
    Answer,
    Checkpoint,
    Completed,
    Errored,
    Interrupted,
    Limits,
    Question,
    Slot,
    Stamp,
    Task,
    ThreadState,
)
from distgraph.core.references import reference
from distgraph.errors import CorruptRecord
from distgraph.types import Interrupt, Send

PARENT = Checkpoint(
    id="1ef00000-0000-6000-8000-0000000000aa", parent_id=None, step=2, source="loop", ts=""
)
STAMP = Stamp("1ef00000-0000-6001-8000-0000000000bb", "2024-01-01T00:00:00+00:00")
OWN = reference(STAMP.id)
CHECKPOINT = Checkpoint(
    id=STAMP.id,
    parent_id=PARENT.id,
    step=3,
    source="loop",
    ts=STAMP.ts,
    values={"xs": [1], "old": 2},
    versions={"xs": OWN, "old": "1.x"},
    changed=frozenset({"xs"}),
    frontier=("b", Send("w", 1), "c", Send("w", 2)),
    arrived={"join:a+b:d": frozenset({"a"})},
    metadata={"user": "u"},
    parents={"": "p"},
)
TASK = Task("t", "a", 0)
QUESTION = Question(Interrupt("why?", "0" * 32), "ns")


def stored(state: ThreadState) -> CheckpointTuple:
    checkpoint, metadata, _ = encode_checkpoint(state.checkpoint)
    parent = {"configurable": {"checkpoint_id": state.checkpoint.parent_id}}
    writes = [(task, *write) for task, some in encode_changes(None, state) for write in some]
    return CheckpointTuple({}, checkpoint, metadata, parent, writes)


def test_the_frontier_and_joins_are_channels() -> None:
    checkpoint, _, _ = encode_checkpoint(CHECKPOINT)
    assert checkpoint["channel_values"] == {
        "xs": [1],
        "old": 2,
        "branch:to:b": None,
        "branch:to:c": None,
        "__pregel_tasks": [Send("w", 1), Send("w", 2)],
        "join:a+b:d": {"a"},
    }
    assert checkpoint["frontier"] == ["b", 0, "c", 1]


def test_an_input_is_its_own_channel() -> None:
    given = replace(CHECKPOINT, values={START: 1}, versions={START: OWN}, frontier=(START,))
    given = replace(given, arrived={}, changed=frozenset({START}))
    checkpoint, _, _ = encode_checkpoint(given)
    assert checkpoint["channel_values"] == {START: 1}


def test_only_what_the_superstep_wrote_is_new() -> None:
    checkpoint, _, changed = encode_checkpoint(CHECKPOINT)
    assert sorted(changed) == [
        "__pregel_tasks",
        "branch:to:b",
        "branch:to:c",
        "join:a+b:d",
        "xs",
    ]
    assert checkpoint["updated_channels"] == sorted(changed)
    assert checkpoint["channel_versions"]["old"] == "1.x"


def test_what_the_saver_does_not_have_yet_is_new_when_that_is_said() -> None:
    assert "old" in encode_checkpoint(CHECKPOINT, {})[2]
    assert "old" in encode_checkpoint(CHECKPOINT, {"old": "0.x"})[2]
    assert "old" not in encode_checkpoint(CHECKPOINT, {"old": "1.x"})[2]


def test_a_fork_writes_none_of_the_state_again() -> None:
    limits = Limits(10, 20)
    stamp = Stamp("1ef00000-0000-6002-8000-0000000000cc", "")
    fork, _ = replay(ThreadState(CHECKPOINT), stamp, limits)
    assert not {"xs", "old"} & set(encode_checkpoint(fork.checkpoint)[2])


def test_a_tuple_that_does_not_tell_what_was_written_wrote_nothing() -> None:
    found = stored(ThreadState(CHECKPOINT))
    found.checkpoint["updated_channels"] = None
    assert decode(found).checkpoint == replace(CHECKPOINT, changed=frozenset())


def test_metadata_say_where_the_checkpoint_stands() -> None:
    _, metadata, _ = encode_checkpoint(CHECKPOINT)
    assert metadata == {"user": "u", "source": "loop", "step": 3, "parents": {"": "p"}}


@pytest.mark.parametrize(
    ("result", "writes"),
    [
        (Completed(), [("__no_writes__", None)]),
        (
            Completed((("xs", [1]), ("xs", [2])), (Send("w", 1), "c")),
            [("xs", [1]), ("xs", [2]), ("__pregel_tasks", Send("w", 1)), ("branch:to:c", None)],
        ),
        (
            Interrupted((QUESTION,)),
            [
                ("__interrupt__", [QUESTION.interrupt]),
                ("__result__", [1, 1, ["why?", "0" * 32, "ns", ["", 0, "", 0]]]),
            ],
        ),
        (
            Errored("builtins.ValueError", "no"),
            [
                ("__error__", str(Errored("builtins.ValueError", "no"))),
                ("__result__", [1, 2, "builtins.ValueError", "no", "", [], []]),
                ("__error_source_node__", "a"),
            ],
        ),
        (
            Errored("builtins.ValueError", "no", is_settled=True),
            [("__error__", "ValueError('no')")],
        ),
    ],
)
def test_what_a_task_left_is_its_pending_writes(result: Any, writes: list[Any]) -> None:
    assert encode_result(TASK, result) == writes


def answer_at(index: int, value: Any, ns: str = "") -> Answer:
    return Answer(f"{index}", ns, value, Slot("", index, "ab", index))


def test_answers_are_resume_values_and_whose_they_are() -> None:
    given = [answer_at(1, None), answer_at(0, "yes"), answer_at(0, "inner", "ns")]
    assert encode_answers(given) == [
        ("__resume__", ["yes", "inner", None]),
        (
            "__answered__",
            [
                [1, "0", "", ["", 0, "ab", 0]],
                [1, "0", "ns", ["", 0, "ab", 0]],
                [1, "1", "", ["", 1, "ab", 1]],
            ],
        ),
    ]


@pytest.mark.parametrize("given", [(answer_at(1, "b"),), (answer_at(0, "a"), answer_at(2, "c"))])
def test_answers_with_a_gap_between_them_are_no_list(given: tuple[Answer, ...]) -> None:
    writes = encode_answers(given)
    assert writes[0] == ("__resume__", {"__gaps__": [answer.value for answer in given]})
    found = stored(ThreadState(CHECKPOINT))
    decoded = decode(found._replace(pending_writes=[("t", *write) for write in writes]))
    assert decoded.answers == {"t": given}


def test_what_callers_add_is_the_null_tasks() -> None:
    assert encode_caller_writes([Completed((("xs", 1),), ("b",))]) == [
        ("__caller_writes__", [[1, 0, ["xs", 1], ["b"]]])
    ]
    assert encode_released("c") == [("__released__", "c")]


def test_unchanged_states_need_no_writes() -> None:
    state = ThreadState(CHECKPOINT, {"t": Completed()}, released="x")
    assert encode_changes(state, state) == []


def test_an_answered_task_is_open_again() -> None:
    before = ThreadState(CHECKPOINT, {"t": Interrupted((QUESTION,))})
    answer = Answer(QUESTION.interrupt.id, "ns", "because")
    after = ThreadState(CHECKPOINT, {}, {"t": (answer,)}, released=STAMP.id)
    calls = encode_changes(before, after)
    assert [task for task, _ in calls] == ["t", NULL_TASK]
    assert ("__result__", None) in calls[0][1]


def test_an_answer_alone_opens_the_task_again() -> None:
    asked = Interrupted((QUESTION,))
    answer = Answer(QUESTION.interrupt.id, "ns", "because")
    found = stored(ThreadState(CHECKPOINT))
    writes = [("t", *write) for write in (*encode_result(TASK, asked), *encode_answers([answer]))]
    assert decode(found._replace(pending_writes=writes)) == ThreadState(
        CHECKPOINT, answers={"t": (answer,)}
    )


def test_a_second_question_is_pending_after_the_first_was_answered() -> None:
    second = Interrupted((Question(Interrupt("and?", "1" * 32), "ns"),))
    answer = Answer(QUESTION.interrupt.id, "ns", "because")
    found = stored(ThreadState(CHECKPOINT))
    writes = [("t", *write) for write in (*encode_answers([answer]), *encode_result(TASK, second))]
    state = decode(found._replace(pending_writes=writes))
    assert state.results == {"t": second}
    assert state.answers == {"t": (answer,)}


def test_a_task_that_completed_has_whatever_it_left_before() -> None:
    asked = encode_result(TASK, Interrupted((QUESTION,)))
    done = Completed((("xs", [1]),))
    found = stored(ThreadState(CHECKPOINT))
    writes = [("t", *write) for write in (*asked, *encode_result(TASK, done))]
    assert decode(found._replace(pending_writes=writes)).results == {"t": done}


def test_a_tuple_without_pending_writes_is_a_state_without_results() -> None:
    found = stored(ThreadState(CHECKPOINT))
    assert decode(found._replace(pending_writes=None)) == ThreadState(CHECKPOINT)


@pytest.mark.parametrize("key", ["frontier", "channel_versions", "channel_values", "last", "ts"])
def test_a_checkpoint_that_something_else_wrote_is_refused(key: str) -> None:
    found = stored(ThreadState(CHECKPOINT))
    checkpoint: Any = {k: v for k, v in found.checkpoint.items() if k != key}
    with pytest.raises(CorruptRecord, match=CHECKPOINT.id):
        decode_checkpoint(found._replace(checkpoint=checkpoint))


def test_a_send_that_the_frontier_names_must_be_there() -> None:
    found = stored(ThreadState(CHECKPOINT))
    checkpoint: Any = {**found.checkpoint, "frontier": [7]}
    with pytest.raises(CorruptRecord):
        decode_checkpoint(found._replace(checkpoint=checkpoint))


@pytest.mark.parametrize(
    "writes",
    [
        [("__resume__", ["a"])],
        [("__resume__", "a"), ("__answered__", [[1, "1", "ns"]])],
        [("__resume__", ["a"]), ("__answered__", [None])],
        [("__pregel_tasks", "no send")],
        [("__pregel_tasks", Send("w", 1)), ("xs", 1)],
        [("__result__", [1, 9])],
    ],
)
def test_garbled_pending_writes_are_refused(writes: list[Any]) -> None:
    found = stored(ThreadState(CHECKPOINT))
    with pytest.raises(CorruptRecord):
        decode(found._replace(pending_writes=[("t", *write) for write in writes]))


@pytest.mark.parametrize(
    "write", [("__caller_writes__", None), ("__caller_writes__", [1]), ("__released__", 1)]
)
def test_garbled_writes_of_the_null_task_are_refused(write: tuple[str, Any]) -> None:
    found = stored(ThreadState(CHECKPOINT))
    with pytest.raises(CorruptRecord):
        decode(found._replace(pending_writes=[(NULL_TASK, *write)]))
