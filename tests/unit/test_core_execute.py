"""One attempt at a task: what it is given, and what comes of what it does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import BaseModel

from distgraph.core.execute import run_task, run_task_async
from distgraph.core.frame import Invocation, triggers
from distgraph.core.graph import Branch, Callee, Graph, Join, Node, Schema
from distgraph.core.model import (
    START,
    Answer,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Result,
    Slot,
    Task,
)
from distgraph.core.retry import retry_delay
from distgraph.errors import GraphInterrupt, InvalidUpdateError, NodeInterrupt
from distgraph.types import Command, Interrupt, RetryPolicy, Runtime, Send, interrupt
from tests.support.core_graphs import KEYS, checkpoint, frame, graph, node

A = Task("task-a", "a", 0)
LAST = Schema(("last",))


def ran(call: Callable[..., Any], *targets: str, task: Task = A, **fields: Any) -> Result:
    """Run ``call`` as node a, on the state last=1."""
    over = graph(node("a", call, *targets), node("b"))
    return run_task(over, task, {"last": 1}, frame(task, **fields))


def error(result: Result) -> Errored:
    assert isinstance(result, Errored)
    return result


# --- input and output ----------------------------------------------------------------------


def test_a_node_reads_the_keys_that_have_a_value() -> None:
    assert ran(lambda state: {"log": [state]}) == Completed((("log", [{"last": 1}]),))


def test_a_sent_task_reads_its_packet_alone() -> None:
    sent = Task("s", "a", 0, Send("a", "packet"))
    assert ran(lambda given: {"last": given}, task=sent) == Completed((("last", "packet"),))


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, Completed()),
        ({"last": 2, "unknown": 3}, Completed((("last", 2),))),
        ([("last", 2), ("last", 3)], Completed((("last", 2), ("last", 3)))),
        (Command(update={"last": 2}, goto="b"), Completed((("last", 2),), ("b",))),
        (Send("b", 7), Completed((), (Send("b", 7),))),
        ([Command(goto="b"), {"last": 2}], Completed((("last", 2),), ("b",))),
        (Command(goto=["b", "__end__"]), Completed((), ("b",))),
    ],
)
def test_what_a_node_returns_says_what_it_writes_and_what_runs_next(
    returned: Any, expected: Completed
) -> None:
    assert ran(lambda _: returned) == expected


def test_edges_follow_the_gotos_of_the_node() -> None:
    assert ran(lambda _: Command(goto="a"), "b") == Completed((), ("a", "b"))


def test_a_path_sees_what_its_node_wrote() -> None:
    path = Callee("path", lambda state: "b" if state["last"] == 2 else "a", None)
    over = graph(
        node("a", lambda _: {"last": 2}, branches=(Branch(path, Schema(KEYS)),)), node("b")
    )
    assert run_task(over, A, {"last": 1}, frame(A)) == Completed((("last", 2),), ("b",))


def test_what_no_path_reads_is_merged_at_the_barrier_alone() -> None:
    path = Callee("path", lambda state: "b" if state["last"] == 2 else "a", None)
    over = graph(
        node("a", lambda _: {"last": 2, "log": "no list"}, branches=(Branch(path, LAST),)),
        node("b"),
    )
    assert run_task(over, A, {}, frame(A)) == Completed((("last", 2), ("log", "no list")), ("b",))


def test_a_task_sees_the_keys_of_its_node_and_of_its_paths() -> None:
    path = Callee("path", lambda _: "a", None)
    routed = Node("a", path, LAST, branches=(Branch(path, Schema(KEYS)),))
    plain = Node("a", path, LAST)
    assert (routed.reads(sent=False), routed.reads(sent=True)) == (("last", "log"), KEYS)
    assert (plain.reads(sent=False), plain.reads(sent=True)) == (("last",), ())


def test_a_path_map_translates_what_the_path_says() -> None:
    path = Branch(
        Callee("path", lambda _: [True, False], None), Schema(KEYS), {True: "b", False: "a"}
    )
    over = graph(node("a", branches=(path,)), node("b"))
    assert run_task(over, A, {}, frame(A)) == Completed((), ("b", "a"))


def test_a_value_that_the_path_map_lacks_is_an_error() -> None:
    path = Branch(Callee("path", lambda _: "x", None), Schema(KEYS), {"y": "a"})
    assert error(run_task(graph(node("a", branches=(path,))), A, {}, frame(A))).kind == (
        "builtins.KeyError"
    )


def test_parameters_are_injected_by_name() -> None:
    def call(state: Any, config: Any, runtime: Runtime[Any]) -> Any:
        where = config["metadata"]["langgraph_node"], config["configurable"]["thread_id"]
        return {"last": (*where, runtime.idempotency_key, runtime.attempt)}

    callee = Callee("a", call, None, {"config": "config", "runtime": "runtime"})
    over = graph(Node("a", callee, Schema(KEYS)))
    assert run_task(over, A, {}, frame(A, attempt=2)) == Completed(
        (("last", ("a", "t", "task-a", 2)),)
    )


# --- questions -------------------------------------------------------------------------------


def twice(_: Any) -> Any:
    return {"log": [interrupt("one?"), interrupt("two?")]}


def question(result: Result) -> Any:
    assert isinstance(result, Interrupted)
    (asked,) = result.questions
    return asked.interrupt


def test_a_question_without_an_answer_interrupts() -> None:
    asked = question(ran(twice))
    assert asked.value == "one?"
    assert len(asked.id) == 32


def test_each_question_and_each_attempt_token_has_an_id_of_its_own() -> None:
    answered = (Answer("", "", "yes"),)
    ids = [question(ran(twice)).id, question(ran(twice, answers=answered)).id]
    ids.append(question(ran(twice, token="other")).id)
    assert len(set(ids)) == 3
    assert question(ran(twice)).id == ids[0]


def test_answers_are_given_in_the_order_of_the_questions() -> None:
    answers = (
        Answer("1", "", "1", Slot(n=0)),
        Answer("x", "another frame", "x", Slot(n=1)),
        Answer("2", "", "2", Slot(n=1)),
    )
    assert ran(twice, answers=answers) == Completed((("log", ["1", "2"]),))


def test_a_signal_inside_an_exception_group_is_found() -> None:
    def grouped(_: Any) -> Any:
        try:
            interrupt("one?")
        except BaseException as signal:  # noqa: BLE001 what TaskGroup does
            raise BaseExceptionGroup("tasks", [ValueError(), signal]) from None

    assert question(ran(grouped)).value == "one?"


def test_an_except_exception_does_not_swallow_the_signal() -> None:
    def careless(_: Any) -> Any:
        try:
            interrupt("one?")
        except Exception:  # noqa: BLE001 what nodes do
            return None

    assert question(ran(careless)).value == "one?"


def test_going_on_after_an_unanswered_question_is_an_error() -> None:
    def greedy(_: Any) -> Any:
        try:
            interrupt("one?")
        except BaseException:  # noqa: BLE001 the mistake that is meant
            return None

    assert "something swallowed the signal" in error(ran(greedy)).message


# --- failures ----------------------------------------------------------------------------------


def test_a_failure_says_what_was_raised_and_where() -> None:
    def fails(_: Any) -> Any:
        raise ValueError("no", 7)

    result = error(ran(fails))
    assert (result.kind, result.args) == ("builtins.ValueError", ("no", 7))
    assert result.notes == ("During task with name 'a' and id 'task-a'",)
    assert "in fails" in result.traceback
    assert isinstance(result.exception, ValueError)


def test_leaving_the_process_is_a_failure_that_names_the_node() -> None:
    result = error(ran(lambda _: sys.exit(3)))
    assert result.message.startswith("Node 'a' raised SystemExit(3)")


def test_exceptions_that_pass_are_not_read() -> None:
    def pressed(_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(pressed)
    assert "KeyboardInterrupt" in error(ran(pressed, passes=())).message


def test_a_command_for_the_parent_leaves_the_frame() -> None:
    command: Command[Any] = Command(graph=Command.PARENT, goto="x")
    assert ran(lambda _: command) == Escaped(command)


def test_an_unknown_target_is_an_error_that_lists_the_nodes() -> None:
    result = error(ran(lambda _: Command(goto="nowhere")))
    assert isinstance(result.exception, InvalidUpdateError)
    assert "unknown node 'nowhere'. The graph's nodes are: a, b." in result.message


def test_a_raised_interrupt_is_asked_and_hears_no_answer() -> None:
    def raises(_: Any) -> Any:
        with pytest.deprecated_call():
            raise NodeInterrupt("wait")

    for answers in ((), (Answer("", "", 1),)):
        left = ran(raises, answers=answers)
        assert isinstance(left, Interrupted)
        assert [question.interrupt.value for question in left.questions] == ["wait"]


def test_a_raised_interrupt_that_nobody_could_answer_is_an_error() -> None:
    def raises(_: Any) -> Any:
        raise GraphInterrupt([Interrupt("wait")])

    assert "needs a checkpointer" in error(ran(raises, invocation=Invocation())).message


class Update(BaseModel):
    last: int = 0
    other: int | None = None


@dataclass
class Fields:
    last: int = 0


@pytest.mark.parametrize("update", [Update(last=1), Fields(1), {"last": 1}])
def test_a_command_for_the_parent_names_no_class(update: Any) -> None:
    command: Command[Any] = Command(graph=Command.PARENT, update=update, goto="x")
    assert ran(lambda _: command) == Escaped(replace(command, update={"last": 1}))


# --- asyncio ---------------------------------------------------------------------------------


def over_coroutine(call: Callable[..., Any]) -> Graph:
    return graph(Node("a", Callee("a", None, call), Schema(KEYS)))


async def test_a_coroutine_node_runs_on_the_loop() -> None:
    async def call(state: Any) -> Any:
        await asyncio.sleep(0)
        return {"last": state["last"] + interrupt("add?")}

    over, given = over_coroutine(call), frame(A, answers=(Answer("", "", 1),))
    result = await run_task_async(over, A, {"last": 1}, given, asyncio.to_thread)
    assert result == Completed((("last", 2),))


async def test_a_blocking_node_runs_beside_the_loop_with_its_frame() -> None:
    over = graph(node("a", lambda _: {"last": interrupt("?")}))
    given = frame(A, answers=(Answer("", "", 1),))
    result = await run_task_async(over, A, {}, given, asyncio.to_thread)
    assert result == Completed((("last", 1),))


def test_a_coroutine_node_cannot_run_blocking() -> None:
    async def call(state: Any) -> Any:
        return None

    result = run_task(over_coroutine(call), A, {}, frame(A))
    assert 'No synchronous function provided to "a"' in error(result).message


# --- retries and triggers --------------------------------------------------------------------


def delay(raised: Exception | None, attempt: int, *policies: RetryPolicy) -> float | None:
    return retry_delay(node("a", retry=policies), Errored("E", "", exception=raised), attempt, 0.5)


def test_the_first_policy_that_accepts_the_exception_counts() -> None:
    value = RetryPolicy(1, 3, 5, 4, jitter=False, retry_on=ValueError)
    other = RetryPolicy(max_attempts=2, jitter=True, retry_on=(KeyError, OSError))
    assert [delay(ValueError(), n, value, other) for n in (1, 2, 3, 4)] == [1, 3, 5, None]
    assert [delay(KeyError(), n, value, other) for n in (1, 2)] == [1.0, None]
    assert delay(TypeError(), 1, value, other) is None


def test_by_default_program_errors_are_final() -> None:
    assert delay(ValueError(), 1, RetryPolicy()) is None
    assert delay(ConnectionError(), 1, RetryPolicy()) == 1.0
    assert delay(None, 1, RetryPolicy()) is None


def test_an_unusable_retry_on_says_so() -> None:
    with pytest.raises(TypeError, match="retry_on must be"):
        RetryPolicy(retry_on=7).accepts(ValueError())  # type: ignore[arg-type]


def test_triggers_name_what_may_start_a_task() -> None:
    joined = graph(node("a"), joins=(Join("join:b+c:a", frozenset("bc"), "a"),))
    assert triggers(A, joined) == ("branch:to:a", "join:b+c:a")
    assert triggers(A) == ("branch:to:a",)
    assert triggers(Task("s", START, 0)) == (START,)
    assert triggers(Task("s", "a", 0, Send("a", 1))) == ("__pregel_push",)


def test_a_graph_called_in_a_task_hangs_on_the_tasks_namespace() -> None:
    outer = frame(A, checkpoint("a", parents={"": "root"}), ns="outer:1")
    assert outer.own_ns == "outer:1|a:task-a"
    assert outer.parents == {"": "root", "outer:1": "cp-3"}
