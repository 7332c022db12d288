"""Graphs whose behaviour is told by their input, for worker processes and for this one alike."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Annotated, Any, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, RetryPolicy, Runtime, Send, interrupt
from tests.support.waiting import wait_until, wait_until_async

Builder = StateGraph[Any]
CROWD, HOUR = 20, 3_600.0


def note(log: str, line: object) -> None:
    """Append a line to the file `log`, whole: that is how executions are counted."""
    if log:
        with Path(log).open("a", buffering=1) as file:
            file.write(f"{line}\n")


def noted(log: str) -> list[str]:
    """Return what was noted so far."""
    return Path(log).read_text().splitlines()


def hold(gate: str) -> None:
    """Wait until the file `gate` is there, but not for ever: its test may have failed."""
    if gate:
        wait_until(Path(gate).exists, f"{gate} to be there")


def take(seconds: float) -> None:
    """Be at work for so long."""
    time.sleep(seconds)


# --- fan-out -----------------------------------------------------------------------------------


class Fan(TypedDict, total=False):
    """`width` items, each taking `pause` seconds; `log` counts executions, `gate` holds them."""

    width: int
    pause: float
    log: str
    gate: str
    items: Annotated[list[int], operator.add]
    total: int


def spread(state: Fan) -> list[Send]:
    shared = {key: state.get(key) for key in ("pause", "log", "gate")}
    return [Send("work", {"item": item, **shared}) for item in range(state["width"])]


def work(packet: dict[str, Any]) -> dict[str, Any]:
    note(packet["log"] or "", f"{packet['item']} {os.getpid()}")
    take(packet["pause"] or 0)
    hold(packet["gate"] or "")
    return {"items": [packet["item"]]}


def total(state: Fan) -> dict[str, Any]:
    return {"total": sum(state["items"])}


def fan() -> Builder:
    builder = StateGraph(Fan)
    builder.add_node("work", work)
    builder.add_node("total", total)
    builder.add_conditional_edges(START, spread, ["work"])
    builder.add_edge("work", "total")
    builder.add_edge("total", END)
    return builder


class Noop(TypedDict, total=False):
    """`width` tasks that only count themselves."""

    width: int
    done: Annotated[int, operator.add]


def noop() -> Builder:
    builder = StateGraph(Noop)
    builder.add_node("plan", lambda _: {})
    builder.add_node("touch", lambda _: {"done": 1})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges(
        "plan", lambda state: [Send("touch", None)] * state["width"], ["touch"]
    )
    return builder


def slow_reducer(left: list[int], right: list[int]) -> list[int]:
    """Add; an item of -1 notes itself in the file that SLOW_REDUCER names and takes a while."""
    if -1 in right:
        note(os.environ.get("SLOW_REDUCER", ""), os.getpid())
        time.sleep(1.0)
    return left + right


class Slow(TypedDict, total=False):
    """A fan-out whose reduction takes long enough to be killed in."""

    width: int
    items: Annotated[list[int], slow_reducer]


def slow() -> Builder:
    builder = StateGraph(Slow)
    builder.add_node("work", lambda packet: {"items": [packet]})
    builder.add_conditional_edges(
        START, lambda state: [Send("work", n) for n in (*range(state["width"]), -1)], ["work"]
    )
    return builder


# --- questions ---------------------------------------------------------------------------------


class Approval(TypedDict, total=False):
    """A request that somebody has to approve."""

    request: str
    log: str
    answer: Any
    path: Annotated[list[str], operator.add]


def prepare(state: Approval) -> dict[str, Any]:
    note(state.get("log", ""), "prepare")
    return {"path": ["prepare"]}


def approve(state: Approval) -> dict[str, Any]:
    note(state.get("log", ""), "approve")
    answer = interrupt({"approve": state.get("request")})
    note(state.get("log", ""), f"answered {answer}")
    return {"answer": answer, "path": ["approve"]}


def publish(state: Approval) -> dict[str, Any]:
    note(state.get("log", ""), "publish")
    return {"path": ["publish"]}


def approval() -> Builder:
    return StateGraph(Approval).add_sequence([prepare, approve, publish]).add_edge(START, "prepare")


class Expiring(Approval, total=False):
    """One that has to be answered within so many seconds."""

    within: float


def expire(state: Expiring) -> dict[str, Any]:
    answer = interrupt("well?", deadline=state["within"], default="nobody")
    return {"answer": answer, "path": ["expire"]}


def expiring() -> Builder:
    builder = StateGraph(Expiring).add_sequence([prepare, expire, publish])
    return builder.add_edge(START, "prepare")


class Panel(TypedDict, total=False):
    """As many parallel questions as `asked` has, and one task that asks nothing."""

    asked: list[str]
    answers: Annotated[list[str], operator.add]


def question(name: str) -> dict[str, Any]:
    return {"answers": [f"{name}={interrupt(name)}"]}


def panel() -> Builder:
    builder = StateGraph(Panel)
    builder.add_node("question", question)
    builder.add_node("quiet", lambda _: {"answers": ["quiet"]})
    builder.add_conditional_edges(
        START,
        lambda state: [*(Send("question", name) for name in state["asked"]), Send("quiet", None)],
        ["question", "quiet"],
    )
    return builder


class AtOnce(TypedDict, total=False):
    """What was answered to nodes that ask several things at once."""

    said: Annotated[list[str], operator.add]


BRANCHES = (("a", "b"), ("a",), ("c", "c"))


def ask_all(branch: tuple[str, ...]) -> str:
    return " ".join(f"{name}={interrupt(name)}" for name in branch)


async def ask_in_tasks(_: AtOnce) -> dict[str, Any]:
    async def ask(branch: tuple[str, ...]) -> str:
        return ask_all(branch)

    return {"said": await asyncio.gather(*map(ask, BRANCHES))}


def ask_in_threads(_: AtOnce) -> dict[str, Any]:
    with ThreadPoolExecutor(1) as pool:
        told = [pool.submit(copy_context().run, ask_all, branch) for branch in BRANCHES]
    return {"said": [each.result() for each in told]}


def at_once() -> Builder:
    builder = StateGraph(AtOnce).add_node(ask_in_tasks).add_node(ask_in_threads)
    return builder.add_edge(START, "ask_in_tasks").add_edge("ask_in_tasks", "ask_in_threads")


class Form(TypedDict, total=False):
    """Asks until it gets a number, then once more in the same node."""

    age: int
    name: str


def ask_age(state: Form) -> dict[str, Any]:
    prompt = "age?"
    while not isinstance(age := interrupt(prompt), int):
        prompt = f"{age!r} is no number"
    return {"age": age, "name": interrupt("name?")}


def form() -> Builder:
    return StateGraph(Form).add_sequence([ask_age]).add_edge(START, "ask_age")


# --- steps, retries, coroutines, routes ----------------------------------------------------------


class Steps(TypedDict, total=False):
    """Names of the nodes that ran, and a counter file for those that fail first."""

    path: Annotated[list[str], operator.add]
    log: str
    seen: Any


def step(name: str) -> Callable[[Steps], dict[str, Any]]:
    return lambda _: {"path": [name]}


def steps() -> Builder:
    builder = StateGraph(Steps)
    builder.add_sequence([(name, step(name)) for name in ("a", "b", "c")])
    return builder.add_edge(START, "a")


def stubborn(state: Steps) -> dict[str, Any]:
    note(state["log"], "tried")
    if len(noted(state["log"])) < 3:
        msg = "not yet"
        raise ConnectionError(msg)
    return {"path": ["done"]}


def retry() -> Builder:
    policy = RetryPolicy(
        initial_interval=HOUR, backoff_factor=2, max_interval=3 * HOUR, max_attempts=3, jitter=False
    )
    builder = StateGraph(Steps).add_node("stubborn", stubborn, retry_policy=policy)
    return builder.add_edge(START, "stubborn")


class Flaky(TypedDict, total=False):
    """`width` tasks, each of which fails in its first attempt where it `fails`."""

    width: int
    fails: bool
    done: Annotated[int, operator.add]


BACK_OFF = 0.5


def falter(fails: bool, runtime: Runtime[None]) -> dict[str, Any]:
    if fails and runtime.attempt == 1:
        msg = "not yet"
        raise ConnectionError(msg)
    return {"done": 1}


def flaky() -> Builder:
    policy = RetryPolicy(initial_interval=BACK_OFF, jitter=False)
    builder = StateGraph(Flaky).add_node("falter", falter, retry_policy=policy)
    return builder.add_conditional_edges(
        START, lambda state: [Send("falter", state["fails"])] * state["width"], ["falter"]
    )


class Fate(TypedDict, total=False):
    """What becomes of attempts, "kill" or "fail", before one ends; `log` gets their numbers."""

    plan: list[str]
    log: str
    attempts: int


def suffer(state: Fate, runtime: Runtime[None]) -> dict[str, Any]:
    note(state["log"], runtime.attempt)
    before = len(noted(state["log"])) - 1
    becomes = [*state["plan"], "end"][before]
    if becomes == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if becomes == "fail":
        msg = "once more"
        raise ConnectionError(msg)
    return {"attempts": runtime.attempt}


def fate() -> Builder:
    policy = RetryPolicy(initial_interval=0.01, max_attempts=2, jitter=False)
    builder = StateGraph(Fate).add_node("suffer", suffer, retry_policy=policy)
    return builder.add_edge(START, "suffer")


async def wait(packet: dict[str, Any]) -> dict[str, Any]:
    """End when all the others have begun too, as far as they can tell by a log."""
    if log := packet["log"]:
        note(log, packet["name"])
        await wait_until_async(lambda: len(noted(log)) == CROWD, "all coroutines to begin")
    return {"path": [packet["name"]]}


def invite(state: Steps) -> list[Send]:
    return [Send("wait", {"name": f"c{n}", "log": state.get("log")}) for n in range(CROWD)]


def coroutines() -> Builder:
    builder = StateGraph(Steps)
    builder.add_node("wait", wait)
    builder.add_conditional_edges(START, invite, ["wait"])
    return builder


def where(state: Any) -> dict[str, Any]:
    return {"path": [os.environ.get("ROLE", "")]}


def routed() -> Builder:
    builder = StateGraph(Steps)
    builder.add_node("usual", where)
    builder.add_node("special", where, queue="special-purpose", priority=5)
    return builder.add_edge(START, "usual").add_edge("usual", "special")


class Told(TypedDict, total=False):
    """What a run was called with."""

    tenant: str


def tell(state: Steps, runtime: Runtime[Told], config: dict[str, Any]) -> dict[str, Any]:
    inner = config["configurable"]
    context = runtime.context or {}
    return {"seen": [inner.get("colour"), context.get("tenant"), inner["thread_id"]]}


def told() -> Builder:
    return StateGraph(Steps, context_schema=Told).add_node("tell", tell).add_edge(START, "tell")


def chatty(state: Steps, runtime: Runtime[None]) -> dict[str, Any]:
    for n in range(3):
        runtime.stream_writer({"n": n})
    return {"path": ["chatty"]}


def chat() -> Builder:
    return StateGraph(Steps).add_node("chatty", chatty).add_edge(START, "chatty")


# --- graphs in graphs ----------------------------------------------------------------------------


def _child() -> Any:
    builder = StateGraph(Approval)
    return builder.add_sequence([prepare, approve]).add_edge(START, "prepare").compile()


def nested() -> Builder:
    builder = StateGraph(Approval)
    builder.add_node("child", _child())
    builder.add_node("publish", publish)
    return builder.add_edge(START, "child").add_edge("child", "publish")


def calling() -> Builder:
    child = _child()

    def caller(state: Approval) -> dict[str, Any]:
        got = child.invoke({"request": state.get("request", ""), "log": state.get("log", "")})
        return {"answer": got["answer"], "path": ["caller"]}

    return StateGraph(Approval).add_sequence([caller, publish]).add_edge(START, "caller")


def escaping() -> Builder:
    def up(state: Steps) -> Command[str]:
        return Command(graph=Command.PARENT, goto="landed", update={"path": ["up"]})

    child = StateGraph(Steps).add_node("up", up).add_edge(START, "up").compile()
    builder = StateGraph(Steps)
    builder.add_node("child", child)
    builder.add_node("landed", step("landed"))
    return builder.add_edge(START, "child")


PROGRAMS: dict[str, Callable[[], Builder]] = {
    "fan": fan,
    "noop": noop,
    "slow": slow,
    "approval": approval,
    "expiring": expiring,
    "panel": panel,
    "at-once": at_once,
    "form": form,
    "steps": steps,
    "retry": retry,
    "flaky": flaky,
    "fate": fate,
    "coroutines": coroutines,
    "routed": routed,
    "told": told,
    "chat": chat,
    "nested": nested,
    "calling": calling,
    "escaping": escaping,
}
