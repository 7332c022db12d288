"""A refund that pays at once when it is small, and waits for a person when it is not.

Start a worker, then ask for a refund; answer whenever you like, from any process::

    distgraph worker examples.refunds:graph        # or: celery -A examples.refunds worker
    python -m examples.refunds order-17 120
    python -m examples.refunds order-17 yes

Redis is where DISTGRAPH_REDIS says, by default on this machine.
"""

from __future__ import annotations

import operator
import sys
from typing import Annotated, Any, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, interrupt
from workers import CeleryBackend

SMALL = 50.0


class Refund(TypedDict, total=False):
    """The state: what is asked for, what was decided, and a log of it."""

    order: str
    amount: float
    approved: bool
    log: Annotated[list[str], operator.add]


def review(state: Refund) -> Refund:
    """Approve a small refund; ask somebody about any other."""
    if state["amount"] < SMALL:
        return {"approved": True, "log": ["small enough to go without a question"]}
    answer = interrupt({"refund": state["order"], "amount": state["amount"]})
    return {"approved": bool(answer), "log": [f"somebody said {'yes' if answer else 'no'}"]}


def outcome(state: Refund) -> str:
    """Choose the next node."""
    return "pay" if state["approved"] else "decline"


def pay(state: Refund) -> Refund:
    """Pay; a real payment would pass runtime.idempotency_key on."""
    return {"log": [f"paid {state['amount']:.2f}"]}


def decline(state: Refund) -> Refund:
    """Tell the customer."""
    return {"log": [f"declined {state['order']}"]}


builder = StateGraph(Refund)
builder.add_node(review).add_node(pay).add_node(decline)
builder.add_edge(START, "review")
builder.add_conditional_edges("review", outcome, ["pay", "decline"])
builder.add_edge("pay", END).add_edge("decline", END)

backend = CeleryBackend()
graph = builder.compile(name="refunds", backend=backend)
app = backend.app  # what `celery -A examples.refunds worker` looks for


def main(order: str, word: str) -> dict[str, Any]:
    """Ask for a refund, or answer the question about one with yes or no."""
    config = {"configurable": {"thread_id": order}}
    if word in ("yes", "no"):
        state = graph.invoke(Command(resume=word == "yes"), config)
    else:
        state = graph.invoke({"order": order, "amount": float(word)}, config)
    for line in state.get("log", ()):
        print(line)
    for question in state.get("__interrupt__", ()):
        print("waits for an answer to", question.value)
    return dict(state)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
