"""One task per invoice, spread over all workers and reduced once.

::

    celery -A examples.fan_out worker --concurrency 4
    python -m examples.fan_out 500
"""

from __future__ import annotations

import operator
import sys
from typing import Annotated, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import Send
from workers import CeleryBackend


class Invoice(TypedDict):
    """What one task is given."""

    number: int
    cents: int


class Batch(TypedDict, total=False):
    """The state: the invoices, what each of them came to, and the totals."""

    invoices: list[Invoice]
    taxes: Annotated[list[int], operator.add]
    total: int


def each(state: Batch) -> list[Send]:
    """Send every invoice to a task of its own."""
    return [Send("assess", invoice) for invoice in state["invoices"]]


def assess(invoice: Invoice) -> Batch:
    """Work on one invoice; this is the part that runs everywhere at once."""
    return {"taxes": [invoice["cents"] * 19 // 100]}


def total(state: Batch) -> Batch:
    """Runs once, when every invoice is done; the taxes stand in the order of the invoices."""
    return {"total": sum(state["taxes"])}


builder = StateGraph(Batch)
builder.add_node(assess).add_node(total)
builder.add_conditional_edges(START, each, ["assess"])
builder.add_edge("assess", "total").add_edge("total", END)

backend = CeleryBackend()
graph = builder.compile(name="taxes", backend=backend)
app = backend.app


def main(count: int, thread_id: str = "taxes") -> int:
    """Submit a batch, which returns at once, and wait for it."""
    invoices = [Invoice(number=n, cents=100 * n) for n in range(count)]
    run = graph.submit({"invoices": invoices}, {"configurable": {"thread_id": thread_id}})
    print(run, "is", run.status)
    state = run.result(timeout=120)
    print(f"taxes on {len(state['taxes'])} invoices: {state['total']} cents")
    return int(state["total"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
