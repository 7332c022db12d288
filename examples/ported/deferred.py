"""Defer: branches of different length, and a node that waits for the longest of them.

::

    python -m examples.ported.deferred
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from distgraph.graph import END, START, StateGraph


class Trip(TypedDict, total=False):
    """The state: what was found, in the order in which it was."""

    found: Annotated[list[str], operator.add]
    offer: str


def flights(_trip: Trip) -> Trip:
    """Look for flights, which takes one step."""
    return {"found": ["flight"]}


def hotels(_trip: Trip) -> Trip:
    """Look for hotels, of which the rooms are looked at next."""
    return {"found": ["hotel"]}


def rooms(_trip: Trip) -> Trip:
    """Go on in the longer branch."""
    return {"found": ["room"]}


def offer(trip: Trip) -> Trip:
    """Runs once, when nothing else is left to run; without ``defer`` it would after the flights."""
    return {"offer": " + ".join(trip["found"])}


builder = StateGraph(Trip)
builder.add_node(flights).add_node(hotels).add_node(rooms).add_node(offer, defer=True)
builder.add_edge(START, "flights").add_edge(START, "hotels").add_edge("hotels", "rooms")
builder.add_edge("flights", "offer").add_edge("rooms", "offer").add_edge("offer", END)
graph = builder.compile()


def main(graph: Any = graph) -> Any:
    """Return which nodes ran, and the offer."""
    config = {"configurable": {"thread_id": "trip"}}
    chunks = list(graph.stream({"found": []}, config, stream_mode="updates"))
    ran = sorted(name for chunk in chunks for name in chunk)
    return ran, chunks[-1]["offer"]["offer"]


if __name__ == "__main__":
    print(main())
