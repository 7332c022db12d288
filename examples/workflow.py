"""A travel request as a workflow: functions that look things up, and a question to whoever pays.

It needs no server::

    python -m examples.workflow Lisbon
"""

from __future__ import annotations

import sys
from typing import Any, TypedDict

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.func import entrypoint, task
from distgraph.types import Command, interrupt

PRICES = {"train": 120, "flight": 340, "hotel": 410}


class Offer(TypedDict):
    """What something costs."""

    what: str
    price: int


@task
def look_up(what: str) -> Offer:
    """Ask somebody else's service, which costs time: what it said is kept."""
    print(f"looking up a {what}")
    return {"what": what, "price": PRICES[what]}


@task
def book(offer: Offer) -> str:
    """Book what was chosen."""
    return f"booked the {offer['what']} for {offer['price']}"


@entrypoint(InMemorySaver())
def travel(place: str, *, previous: str | None = None) -> str:
    """Plan a journey; ``previous`` is what came of the last one."""
    print(f"to {place}, after {previous or 'nothing'}")
    asked = [look_up("train"), look_up("flight")]  # both at once
    cheapest = min((each.result() for each in asked), key=lambda offer: offer["price"])
    answer = interrupt(f"{cheapest['what']} to {place} for {cheapest['price']}?")
    return book(cheapest).result() if answer == "yes" else "stayed at home"


def main(place: str, answer: str = "yes") -> str:
    """Ask for a journey and answer the question that comes."""
    config = {"configurable": {"thread_id": "ada"}}
    asked: Any = travel.invoke(place, config)
    print(asked["__interrupt__"][0].value)
    return travel.invoke(Command(resume=answer), config)


if __name__ == "__main__":
    print(main(sys.argv[1] if len(sys.argv) > 1 else "Lisbon"))
