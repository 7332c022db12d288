"""Private state: two nodes share a key that callers neither give nor see.

::

    python -m examples.ported.private_state
"""

from __future__ import annotations

from typing import Any, TypedDict

from distgraph.graph import END, START, StateGraph

ACCOUNTS = {"ada": [120, -30, 15], "bob": [-5]}


class Asked(TypedDict):
    """What a caller gives."""

    user: str


class Told(TypedDict):
    """What a caller gets."""

    advice: str


class Overall(Asked, Told):
    """What all nodes may read and write."""


class Looked(TypedDict):
    """What stays between the node that looks things up and the one that needs them."""

    bookings: list[int]


def look_up(state: Asked) -> Looked:
    """Find what nobody else is to see."""
    return {"bookings": ACCOUNTS.get(state["user"], [])}


def judge(state: Looked) -> Told:
    """Read the private key alone: the hint of the parameter says so."""
    return {"advice": "save" if sum(state["bookings"]) < 0 else "spend"}


def greet(state: Overall) -> Told:
    """Read the state of the graph, of which the private key is no part."""
    return {"advice": f"{state['user']} should {state['advice']}"}


builder = StateGraph(Overall, input_schema=Asked, output_schema=Told)
builder.add_sequence([look_up, judge, greet])
builder.add_edge(START, "look_up").add_edge("greet", END)
graph = builder.compile()


def main(graph: Any = graph) -> Any:
    """Return the advice for two users; keys that the input schema has not got are left out."""
    asked = ({"user": "ada"}, {"user": "bob", "bookings": [1_000]})
    return [
        graph.invoke(each, {"configurable": {"thread_id": f"advice-{each['user']}"}})
        for each in asked
    ]


if __name__ == "__main__":
    print(main())
