"""A Celery application that exists already, and a graph beside its own tasks.

The backend adds one task to the application and changes none of its settings; its workers carry
the graph too::

    celery -A examples.existing_celery worker
    python -m examples.existing_celery 42
"""

from __future__ import annotations

import os
import sys
from typing import Any, TypedDict

from celery import Celery

from distgraph.graph import END, START, StateGraph
from workers import CeleryBackend

REDIS = os.environ.get("DISTGRAPH_REDIS", "redis://localhost:6379/0")

shop = Celery("shop", broker=REDIS, set_as_current=False)
shop.conf.broker_connection_retry_on_startup = True


@shop.task(name="shop.mail", ignore_result=True)
def mail(address: str, text: str) -> None:
    """One of the application's own tasks."""
    print(f"to {address}: {text}")


class Order(TypedDict, total=False):
    """The state: an order on its way."""

    number: int
    packed: bool
    told: str


def pack(_order: Order) -> Order:
    """Do a part of the work."""
    return {"packed": True}


def tell(order: Order) -> Order:
    """Queue a task of the application from inside a node."""
    mail.delay("customer@example.org", f"order {order['number']} is packed")
    return {"told": "customer@example.org"}


builder = StateGraph(Order)
builder.add_sequence([pack, tell])
builder.add_edge(START, "pack").add_edge("tell", END)

backend = CeleryBackend(REDIS, app=shop)
graph = builder.compile(name="orders", backend=backend)
app = backend.app  # the shop application, now with the graph's task


def main(number: int) -> dict[str, Any]:
    """Run one order on the shop's workers."""
    state = graph.invoke({"number": number}, {"configurable": {"thread_id": f"order-{number}"}})
    print(state)
    return dict(state)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 42)
