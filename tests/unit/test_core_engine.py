"""The loop of a run: which requests it makes, in which order, driven by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from distgraph.core.execute import run_task
from distgraph.core.model import Completed, Failed, Finished, Paused, Stamp, ThreadState
from distgraph.core.references import reference
from distgraph.core.snapshot import current_values, snapshot
from distgraph.engine import (
    Execute,
    GoOn,
    Load,
    NewStamp,
    RunHere,
    Save,
    SaveUpdate,
    Start,
    run,
)
from distgraph.errors import EmptyInputError, InvalidUpdateError
from distgraph.types import Command, Send, StateUpdate, interrupt
from distgraph.updating import update
from tests.support.core_graphs import LIMITS, frame, graph, node


class Store:
    """Answers a program's requests as a runner does, and writes down what was asked."""

    def __init__(self) -> None:
        self.state: ThreadState | None = None
        self.made = 0
        self.seen: list[str] = []

    def drive(self, program: Any) -> Any:
        answer: Any = None
        while True:
            try:
                request = program.send(answer)
            except StopIteration as stop:
                return stop.value
            self.seen.append(type(request).__name__)
            answer = self.answer(request)

    def answer(self, request: Any) -> Any:
        match request:
            case Load():
                return self.state
            case NewStamp():
                self.made += 1
                return Stamp(f"cp-{self.made}", "now")
            case RunHere(over, state, tasks):
                return _results(over, state, tasks)
            case Execute(state, tasks):
                results = {**state.results, **_results(OVER, state, tasks)}
                self.state = replace(state, results=results)
                return self.state
            case Save(state=state) | GoOn(state=state) | SaveUpdate(state=state):
                self.state = state
            case _:
                raise AssertionError(request)
        return None

    @property
    def values(self) -> Any:
        assert self.state is not None
        return self.state.checkpoint.values


def _results(over: Any, state: ThreadState, tasks: Any) -> dict[str, Any]:
    return {
        task.id: run_task(
            over,
            task,
            current_values(over, ThreadState(state.checkpoint, caller_writes=state.caller_writes)),
            frame(task, state.checkpoint, answers=state.answers.get(task.id, ())),
        )
        for task in tasks
    }


OVER = graph(
    node("a", lambda _: {"log": ["a"]}, "b"),
    node("b", lambda _: {"last": interrupt("well?")}),
    node("w", lambda given: {"log": [given]}),
    entry=("a",),
)


def start(given: Any, **fields: Any) -> Any:
    return run(OVER, Start(given, 10, **fields))


def test_a_run_stores_its_start_then_each_superstep() -> None:
    store = Store()
    outcome = store.drive(start({"log": ["in"]}))
    assert isinstance(outcome, Paused)
    assert store.seen == [
        "Load",
        *("NewStamp", "RunHere", "NewStamp", "Save"),
        *("Execute", "NewStamp", "Save"),
        "Execute",
    ]
    assert store.values == {"log": ["in", "a"]}


def test_an_answer_is_stored_before_its_task_runs_again() -> None:
    store = Store()
    store.drive(start({}))
    store.seen.clear()
    assert store.drive(start(Command(resume="yes"))) == Finished()
    assert store.seen == ["Load", "GoOn", "Execute", "NewStamp", "Save"]
    assert store.values == {"log": ["a"], "last": "yes"}


def test_an_update_that_comes_with_an_answer_is_stored_by_the_next_commit() -> None:
    store = Store()
    store.drive(start({}))
    store.drive(start(Command(resume="yes", update={"log": ["u"]})))
    assert store.state is not None
    own = reference(store.state.checkpoint.id)
    assert store.values == {"log": ["a", "u"], "last": "yes"}
    assert store.state.checkpoint.versions == {"log": own, "last": own}


def test_a_callers_goto_starts_a_node_of_a_finished_thread() -> None:
    store = Store()
    store.drive(start({}))
    store.drive(start(Command(resume="yes")))
    assert store.drive(start(Command(goto=Send("w", "sent")))) == Finished()
    assert store.values["log"] == ["a", "sent"]


def test_a_bad_input_asks_for_no_save() -> None:
    store = Store()
    assert isinstance(store.drive(start(7)), Failed)
    assert "Save" not in store.seen


@pytest.mark.parametrize("given", [None, Command(goto="a"), Command()])
def test_nothing_can_go_on_where_nothing_is(given: Any) -> None:
    store = Store()
    with pytest.raises(EmptyInputError):
        store.drive(start(given))
    assert store.seen == ["Load"]


def test_going_on_with_a_finished_thread_changes_nothing() -> None:
    store = Store()
    store.drive(start({}))
    store.drive(start(Command(resume="yes")))
    before = store.values
    assert store.drive(start(None)) == Finished()
    assert store.values == before


def test_a_breakpoint_is_released_by_going_on() -> None:
    store = Store()
    assert store.drive(start({}, before=frozenset("a"))) == Paused()
    outcome = store.drive(start(None, before=frozenset("a")))
    assert isinstance(outcome, Paused)
    assert outcome.questions[0].interrupt.value == "well?"


def test_replaying_stores_a_fork_before_anything_runs() -> None:
    store = Store()
    store.drive(start({}))
    store.seen.clear()
    store.drive(start(None, at="cp-3"))
    assert store.seen[:3] == ["Load", "NewStamp", "Save"]


# --- updates ---------------------------------------------------------------------------------


def updated(store: Store, *updates: StateUpdate) -> Any:
    return store.drive(update(OVER, [updates], LIMITS))


def test_an_update_counts_as_the_return_of_its_node() -> None:
    store = Store()
    updated(store, StateUpdate({"log": ["x"]}, "a"))
    assert store.state is not None
    made = store.state.checkpoint
    assert (made.source, made.step, made.frontier) == ("update", 0, ("b",))
    assert made.values == {"log": ["x"]}
    assert set(made.versions) == {"log"}


def test_an_update_of_a_fresh_thread_is_written_as_the_start() -> None:
    store = Store()
    updated(store, StateUpdate({"last": 1}))
    assert store.state is not None
    assert store.state.checkpoint.frontier == ("a",)
    assert store.values == {"log": [], "last": 1}


def test_an_update_as_the_end_clears_what_was_to_run() -> None:
    store = Store()
    store.drive(start({}))
    updated(store, StateUpdate(None, "__end__"))
    assert store.state is not None
    assert store.state.checkpoint.frontier == ()
    assert store.values == {"log": ["a"]}


def test_several_updates_in_a_superstep_need_their_nodes() -> None:
    with pytest.raises(
        InvalidUpdateError, match="as_node is required when applying multiple updates"
    ):
        updated(Store(), StateUpdate({}, "a"), StateUpdate({}))


# --- snapshots --------------------------------------------------------------------------------


def shown(store: Store, **options: Any) -> Any:
    assert store.state is not None
    return snapshot(OVER, store.state, {"thread_id": "t"}, **options)


def test_a_snapshot_shows_what_waits_and_for_what() -> None:
    store = Store()
    store.drive(start({}))
    found = shown(store)
    assert (found.next, found.values) == (("b",), {"log": ["a"]})
    assert [question.value for question in found.interrupts] == ["well?"]
    assert found.tasks[0].interrupts == found.interrupts
    assert (found.metadata["source"], found.metadata["step"]) == ("loop", 1)


def test_of_the_head_the_writes_of_finished_tasks_count_already() -> None:
    store = Store()
    store.drive(start({}))
    assert store.state is not None
    (task,) = shown(store).tasks
    finished = ThreadState(store.state.checkpoint, {task.id: Completed((("last", 7),))})
    store.state = finished
    assert (shown(store).next, shown(store).values["last"]) == ((), 7)
    assert (shown(store, head=False).next, "last" in shown(store, head=False).values) == (
        ("b",),
        False,
    )


def test_what_a_callers_goto_started_is_shown_until_it_is_done() -> None:
    store = Store()
    store.drive(start({}))
    assert store.state is not None
    written = (Completed((), ("w",)),)
    store.state = ThreadState(store.state.checkpoint, store.state.results, caller_writes=written)
    assert shown(store).next == ("b", "w")
    task = next(task for task in shown(store).tasks if task.name == "w")
    results = {**store.state.results, task.id: Completed()}
    store.state = ThreadState(store.state.checkpoint, results, caller_writes=written)
    assert shown(store).next == ("b",)
