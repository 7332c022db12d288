"""Commands about threads; they need no graph code, unless stored values are of its classes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import RunStatus
from checkpoint_redis.readings import Header
from distgraph.core.model import Checkpoint
from distgraph.core.resume import is_by_id
from distgraph.errors import ThreadBusy, ThreadNotFound

from ..backend import CeleryBackend
from ..client.past import AnswerInfo, RunInfo
from ..shared.serving import serves
from .answers import answer_facts, answers_in, brief, brief_answer, shown_value
from .ending import asked, plain_json, questions, shown, tell, wait
from .exits import CommandError, Exit, guarded
from .facts import asks_of, facts_of, value_of
from .health import living, now
from .inner import inner_tasks, shown_inside
from .options import (
    Broker,
    BrokerOptions,
    Json,
    LimitOption,
    Namespace,
    Redis,
    TargetOption,
    ThreadId,
)
from .screen import Screen, ago, plain, table
from .standing import counted, failures_of, stands, told
from .targets import Connection, backend_of
from .values import read_json

SHOWN = 20
"""So many answers are shown of a thread."""
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until the run ends or asks again.")]


@guarded
def show(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Show a thread: its status, its state, what failed, the questions that wait, its last runs.

    Of graphs that are nodes, and of functions that are called, it lists what is not done.

    THREAD may be its key, as log lines and messages of the broker have it. With --target, which
    names its graph, the state has what finished tasks of the open superstep wrote.
    """
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    header = _found(backend, thread)
    handle = backend.thread(header.thread_id)
    state = handle.state
    standing = stands(backend, header, state)
    failures = failures_of(backend, header, standing)
    served = serves(living(backend), header.graph, header.fp, header.format)
    known = facts_of(handle.info, served)
    # When the thread was created, not its newest checkpoint.
    stood = {"created": known["created"], "next": standing.next, "tasks": standing.counts}
    key = backend.thread_key(header.thread_id).x
    facts = {**known, "key": key, **_position(state.checkpoint), **stood}
    waiting, values = asked(state), shown(standing.values)
    lines = table("", "")
    for name, fact in {**facts, "tasks": counted(standing.counts)}.items():
        if fact is not None:
            lines.add_row(name, plain(_worded(fact)))
    runs, answers = handle.runs(), handle.answers(SHOWN)
    inside = inner_tasks(backend, header)
    rest = (
        *shown_inside(inside),
        *told(failures),
        *(Text("state", style="bold"), plain_json(values), *questions(waiting)),
        *(Text("runs", style="bold"), _runs(runs, now(backend))),
        *_answers(answers, now(backend)),
    )
    data = {
        **facts,
        "errors": [str(failure.error) for failure in failures],
        "failures": [failure.data for failure in failures],
        "inside": [asdict(task) for task in inside],
        "values": values,
        "interrupts": asks_of(waiting),
        "runs": [asdict(run) for run in runs],
        "answers": [answer_facts(each) for each in answers],
    }
    Screen(as_json).answer(data, Group(lines, *rest))
    return Exit.OK


def _worded(fact: Any) -> Any:
    match fact:
        case datetime():
            return f"{fact:%Y-%m-%d %H:%M:%S} UTC"
        case list():
            return _counted(fact)
        case _:
            return fact


def _runs(runs: Iterable[RunInfo], today: datetime) -> Table:
    listing = table("run", "kind", "status", "began", "by")
    listing.columns[0].no_wrap = True
    for run in runs:
        by = plain(run.by) if run.by else "-"
        listing.add_row(plain(run.id), run.kind, run.status, ago(run.began, today), by)
    return listing


def _answers(answers: list[AnswerInfo], today: datetime) -> tuple[RenderableType, ...]:
    if not answers:
        return ()
    listing = table("question", "answer", "by", "asked", "answered")
    for each in answers:
        said = brief(value_of(each.interrupt)), brief(shown_value(each.value))
        times = ago(each.asked, today), ago(each.answered, today)
        listing.add_row(*map(plain, said), plain(each.by) if each.by else "-", *times)
    return Text("answers", style="bold"), listing


def _found(backend: CeleryBackend, named: str) -> Header:
    """Return the header of a thread that is named by its id, or by its key."""
    try:
        return _header(backend, named)
    except ThreadNotFound:
        with suppress(ValueError):  # it is no key
            by_key = Thread.from_x(backend.namespace, named)
            if (header := backend.ledger.header(by_key)) is not None:
                return header
        raise


def _header(backend: CeleryBackend, thread_id: str) -> Header:
    header = backend.ledger.header(backend.thread_key(thread_id))
    if header is None:
        raise ThreadNotFound(f"No thread {thread_id[:200]!r} is stored.")
    return header


def _position(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "step": checkpoint.step,
        "source": checkpoint.source,
        "checkpoint": checkpoint.id,
        "created": checkpoint.ts,
        "next": [t if isinstance(t, str) else t.node for t in checkpoint.frontier],
    }


@guarded
def resume(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    value: Annotated[str, typer.Option(metavar="JSON|@FILE", help="The answer.")],
    interrupt: Annotated[
        str | None, typer.Option(metavar="ID", help="Which question, when several wait.")
    ] = None,
    wait_for_it: WaitOption = False,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Answer a thread's question; the workers go on with it."""
    answer = read_json("--value", value)
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    given = answer if interrupt is None else _by_id(interrupt, answer)
    run = backend.thread(thread).resume(given)
    return _told(backend, thread, run.id, Screen(as_json), wait_for_it=wait_for_it)


def _by_id(interrupt: str, answer: Any) -> dict[str, Any]:
    """Name the question; what is no id would be taken for a part of the answer."""
    given = {interrupt: answer}
    if not is_by_id(given):
        raise CommandError(f"--interrupt {interrupt!r} is no question's id.", Exit.USAGE)
    return given


@guarded
def retry(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    wait_for_it: WaitOption = False,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Run the failed tasks of a thread again."""
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    run = backend.thread(thread).retry()
    return _told(backend, thread, run.id, Screen(as_json), wait_for_it=wait_for_it)


def _told(
    backend: CeleryBackend, thread_id: str, run: str, screen: Screen, *, wait_for_it: bool
) -> Exit:
    if wait_for_it:
        return tell(screen, wait(backend, thread_id, run))
    screen.answer(
        {"thread": thread_id, "run": run, "status": RunStatus.pending}, Text(f"run {run}")
    )
    return Exit.OK


@guarded
def adopt(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    target: TargetOption = None,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Also a busy one: what runs is void, and begins again."),
    ] = False,
    as_json: Json = False,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Take a thread over to its graph as --target has it now."""
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    handle = backend.thread(thread)
    graph = handle.graph
    if backend.registry.get(graph) is None:
        said = f"--target must name graph '{graph}', which runs on this thread, as it is now."
        raise CommandError(said, Exit.USAGE)
    try:
        handle.adopt(restart=restart)
    except ThreadBusy as busy:
        said = f"{busy.args[0]} Wait for it, or have it begin again in the new version: --restart."
        raise CommandError(said) from busy
    said = f"Adopted: graph {graph} goes on with it as it is now."
    Screen(as_json).answer({"thread": thread, "adopted": True, "graph": graph}, Text(said))
    return Exit.OK


@guarded
def history(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    limit: LimitOption = 50,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """List a thread's checkpoints, newest first; with --json, with their state."""
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    _header(backend, thread)
    states = backend.thread(thread).history(limit)
    listing = table("step", "source", "checkpoint", "created", "next", "answers")
    today = now(backend)
    for state in states:
        row = _position(state.checkpoint)
        created = ago(datetime.fromisoformat(row["created"]), today)
        cells = (str(row["step"]), row["source"], row["checkpoint"], created)
        given = ", ".join(brief_answer(each, today) for each in answers_in(state))
        listing.add_row(*cells, plain(_counted(row["next"])), plain(given) if given else "")
    data = [
        {
            **_position(state.checkpoint),
            "values": shown(state.checkpoint.values),
            "answers": [asdict(each) for each in answers_in(state)],
        }
        for state in states
    ]
    Screen(as_json).answer(data, listing)
    return Exit.OK


def _counted(nodes: list[str]) -> str:
    """Name each node once, with how many times it is to run."""
    counts = {node: nodes.count(node) for node in dict.fromkeys(nodes)}
    return ", ".join(node if n == 1 else f"{node} x {n:,}" for node, n in counts.items()) or "-"
