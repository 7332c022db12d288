"""What the next superstep runs, and in which order."""

from __future__ import annotations

import re
from dataclasses import replace

from distgraph.core.model import START, UNSAVED, Completed, ThreadState
from distgraph.core.plan import digest, is_input, plan, tasks_of, with_caller_writes
from distgraph.types import Send
from tests.support.core_graphs import checkpoint, graph, node


def test_sends_come_first_as_written_then_nodes_by_name() -> None:
    tasks = plan(checkpoint("b", Send("w", 2), "a", Send("w", 1)))
    assert [(task.node, task.index) for task in tasks] == [("w", 0), ("w", 1), ("a", 0), ("b", 0)]


def test_writes_are_applied_nodes_by_name_then_sends() -> None:
    tasks = sorted(plan(checkpoint("b", Send("w", 2), "a")), key=lambda task: task.order)
    assert [task.node for task in tasks] == ["a", "b", "w"]


def test_a_node_that_is_named_twice_runs_once() -> None:
    assert [task.node for task in plan(checkpoint("a", "b", "a"))] == ["a", "b"]


def test_the_same_checkpoint_gives_the_same_ids() -> None:
    assert plan(checkpoint("a", Send("a", 1))) == plan(checkpoint("a", Send("a", 1)))


def test_ids_are_shaped_like_uuids() -> None:
    (task,) = plan(checkpoint("a"))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", task.id)


def test_ids_differ_by_checkpoint_step_frame_node_and_place() -> None:
    one = checkpoint("a", Send("a", 1), Send("a", 1))
    other = [replace(one, id="cp-x"), replace(one, step=4)]
    plans = [plan(one), plan(one, "outer:1"), *map(plan, other)]
    ids = {task.id for tasks in plans for task in tasks}
    assert len(ids) == 4 * 3


def test_a_digest_depends_on_where_its_parts_end() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert len(digest("\udc80")) == 32


def test_a_callers_update_and_gotos_count_in_the_open_superstep() -> None:
    caller_write = Completed((("log", ["u"]),), ("b", "a", Send("b", 1)))
    base = checkpoint("a", values={"log": ["x"]}, versions={"log": "0.x"})
    opened = with_caller_writes(graph(), ThreadState(base, caller_writes=(caller_write,)))
    assert opened.values == {"log": ["x", "u"]}
    assert opened.frontier == ("a", "b", Send("b", 1))
    assert opened.versions == {"log": UNSAVED}


def test_the_tasks_of_a_state_include_a_callers_gotos() -> None:
    state = ThreadState(checkpoint("a"), caller_writes=(Completed((), ("b",)),))
    assert [task.node for task in tasks_of(graph(node("a"), node("b")), state)] == ["a", "b"]


def test_the_checkpoint_of_an_input_runs_only_the_start() -> None:
    assert is_input(checkpoint(START))
    assert not is_input(checkpoint("a"))
    assert not is_input(checkpoint())


def test_paths_show_how_a_task_came_about() -> None:
    sent, pulled = plan(checkpoint("a", Send("w", 1)))
    assert (sent.path, pulled.path) == (("__pregel_push", 0, False), ("__pregel_pull", "a"))
