"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Redis = Annotated[
    str | None,
    typer.Option(help="Where threads live. Else DISTGRAPH_REDIS, else localhost.", metavar="URL"),
]
Broker = Annotated[
    str | None,
    typer.Option(help="What Celery speaks to. Else DISTGRAPH_BROKER, else Redis.", metavar="URL"),
]
BrokerOptions = Annotated[
    str | None,
    typer.Option(
        help="Celery's transport options, and ssl_... Else DISTGRAPH_BROKER_OPTIONS.",
        metavar="JSON",
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(help="Beginning of all keys and queues. Else DISTGRAPH_NAMESPACE, else dg."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]
TargetOption = Annotated[
    str | None,
    typer.Option(
        help="module:graph, where the connection comes from and the classes of stored values.",
    ),
]
LimitOption = Annotated[int, typer.Option(min=1, help="At most so many.")]
ThreadId = Annotated[str, typer.Argument(metavar="THREAD", help="The thread's id.")]
