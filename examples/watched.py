"""Workers whose failures Sentry is told of, and whose jobs Flower shows.

::

    SENTRY_DSN=https://... celery -A examples.watched worker -E
    celery -A examples.watched flower
    python -m examples.watched 7
"""

from __future__ import annotations

import os
import sys
from typing import Any, TypedDict

import sentry_sdk
from celery import signals
from sentry_sdk.integrations.celery import CeleryIntegration

from distgraph.graph import END, START, StateGraph
from workers import CeleryBackend


@signals.celeryd_init.connect
@signals.worker_process_init.connect
def start_sentry(**_signal: object) -> None:
    """Begin in the worker, and anew in each process of its pool."""
    sentry_sdk.init(dsn=os.environ.get("SENTRY_DSN"), integrations=[CeleryIntegration()])


class Delivery(TypedDict, total=False):
    """The state: a delivery's number."""

    number: int


def deliver(delivery: Delivery) -> None:
    """Fail, unless the number is even."""
    if delivery["number"] % 2:
        msg = f"no driver for delivery {delivery['number']}"
        raise LookupError(msg)


builder = StateGraph(Delivery).add_node(deliver)
builder.add_edge(START, "deliver").add_edge("deliver", END)

backend = CeleryBackend()
graph = builder.compile(name="deliveries", backend=backend)
app = backend.app


def main(number: int) -> dict[str, Any]:
    """Deliver on a worker."""
    thread = {"configurable": {"thread_id": f"delivery-{number}"}}
    return dict(graph.invoke({"number": number}, thread))


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
