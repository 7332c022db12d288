"""The list of threads: a page at a time, with what each of them asks."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from checkpoint_redis.layout import ThreadStatus

from ..backend import CeleryBackend
from ..client.listed import ThreadInfo
from ..client.listing import STATUSES
from ..shared.serving import serves
from .answers import brief
from .exits import CommandError, Exit, guarded
from .facts import asks_of, facts_of, until, value_of
from .health import living, now
from .options import Broker, BrokerOptions, Json, LimitOption, Namespace, Redis, TargetOption
from .screen import Screen, ago, plain, table
from .targets import Connection, backend_of
from .values import read_metadata, read_moment


@guarded
def threads(  # noqa: PLR0913 a command's options
    *,
    interrupted: Annotated[
        bool, typer.Option("--interrupted", help="Those that wait for an answer.")
    ] = False,
    status: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = None,
    graph: Annotated[str | None, typer.Option(help="Only those of the graph of this name.")] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only those with this metadata; may be repeated."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Changed then or later: 2h (ago), 3d, 2026-01-31T12:00."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Changed before; a time without zone is UTC.")
    ] = None,
    after: Annotated[
        str, typer.Option(metavar="CURSOR", help="Those behind the thread that has this cursor.")
    ] = "",
    limit: LimitOption = 100,
    count: Annotated[bool, typer.Option("--count", help="Only say how many there are.")] = False,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """List threads, the last changed first, with what they ask; whether a worker serves them."""
    waiting = ThreadStatus.interrupted
    if status not in (None, *STATUSES) or (interrupted and status not in (None, waiting)):
        said = f"--status is one of {', '.join(STATUSES)}; --interrupted is one of them."
        raise CommandError(said, Exit.USAGE)
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    today = now(backend)
    wanted: dict[str, Any] = {
        "status": waiting if interrupted else status,
        "graph": graph,
        "metadata": read_metadata(metadata or ()),
        "since": read_moment("--since", since, today),
        "until": read_moment("--until", until, today),
    }
    try:
        if count:
            return _count(backend, wanted, Screen(as_json))
        found = backend.threads(limit=limit, after=after, **wanted)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), Exit.USAGE) from error
    _show(backend, found, Screen(as_json), whole=len(found) < limit)
    return Exit.OK


def _count(backend: CeleryBackend, wanted: dict[str, Any], screen: Screen) -> Exit:
    number = backend.count_threads(**wanted)
    screen.answer({"count": number}, Text(f"{number:,} threads"))
    return Exit.OK


def _show(backend: CeleryBackend, found: list[ThreadInfo], screen: Screen, *, whole: bool) -> None:
    workers = living(backend)
    served = [serves(workers, info.graph, info.version, info.format) for info in found]
    listing, today = table("thread", "status", "graph", "updated", "asks", ""), now(backend)
    for info, is_served in zip(found, served, strict=True):
        unserved = info.status == ThreadStatus.busy and not is_served
        listing.add_row(
            plain(info.id),
            info.status,
            plain(info.graph),
            ago(info.updated, today),
            _asks(info),
            "no live worker serves it" if unserved else "",
        )
    lines: list[RenderableType] = [listing if found else Text("No threads.")]
    if not whole:
        lines.append(Text(f"The next ones: --after {found[-1].cursor}"))
    data = [_data(*each) for each in zip(found, served, strict=True)]
    screen.answer(data, Group(*lines))


def _data(info: ThreadInfo, is_served: bool) -> dict[str, Any]:
    asks = {"interrupts": asks_of(info.interrupts), "more_interrupts": info.more}
    return {**facts_of(info, is_served), **asks}


def _asks(info: ThreadInfo) -> Text:
    """Say the first question, and how many there are."""
    if not info.interrupts:
        return Text("questions that are too many, or cannot be read" if info.more else "")
    short = brief(value_of(info.interrupts[0]))
    others = len(info.interrupts) - 1
    count = f" (and {others}{' or more' if info.more else ''})" if others or info.more else ""
    return Text.assemble(plain(short), count, until(info.deadline))
