"""A task in a snapshot is LangGraph's tuple; what it was answered stands beside that."""

from __future__ import annotations

import copy
import pickle
from typing import TypedDict

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, StateGraph
from distgraph.types import Command, PregelTask, interrupt
from tests.support.site import on


class State(TypedDict, total=False):
    n: int


def answered() -> PregelTask:
    builder = StateGraph(State).add_node("ask", lambda _: {"n": interrupt("n?")})
    graph = builder.add_edge(START, "ask").compile(checkpointer=InMemorySaver())
    graph.invoke({}, on("t"))
    graph.invoke(Command(resume=3), on("t"))
    (task,) = next(shown for shown in graph.get_state_history(on("t")) if shown.tasks).tasks
    return task


def test_answers_are_no_item_of_the_tuple() -> None:
    task = answered()
    assert [given.value for given in task.answers] == [3]
    tid, name, path, error, interrupts, state, result = task
    assert task == PregelTask(tid, name, path, error, interrupts, state, result)
    assert (name, error, state, result) == ("ask", None, None, {"n": 3})


def test_answers_stay_with_a_task_that_is_copied() -> None:
    task = answered()
    copies = [copy.copy(task), pickle.loads(pickle.dumps(task)), task._replace(error="no")]
    assert [one.answers for one in copies] == [task.answers] * 3
    assert task._replace(answers=()).answers == ()
    assert PregelTask("", "n", ()).answers == ()
