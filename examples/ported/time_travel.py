"""Time travel: look at the history of a thread, run again from a point of it, or on from another.

::

    python -m examples.ported.time_travel
"""

from __future__ import annotations

from typing import Any, TypedDict

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import END, START, StateGraph


class Meal(TypedDict, total=False):
    """The state."""

    dish: str
    wine: str
    bill: int


def cook(_meal: Meal) -> Meal:
    """Choose a dish."""
    return {"dish": "fish"}


def pair(meal: Meal) -> Meal:
    """Choose a wine by the dish."""
    return {"wine": "white" if meal["dish"] == "fish" else "red"}


def charge(meal: Meal) -> Meal:
    """Add up."""
    return {"bill": 10 * len(meal["dish"]) + len(meal["wine"])}


builder = StateGraph(Meal)
builder.add_sequence([cook, pair, charge])
builder.add_edge(START, "cook").add_edge("charge", END)
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return the first meal, the same replayed, and one in which the dish was another."""
    config = {"configurable": {"thread_id": "meal"}}
    first = graph.invoke({}, config)
    history = list(graph.get_state_history(config))
    before_wine = next(each for each in history if each.next == ("pair",))

    replayed = graph.invoke(None, before_wine.config)
    fork = graph.update_state(before_wine.config, {"dish": "steak"})
    forked = graph.invoke(None, fork)

    # Nothing was overwritten: the old checkpoints stand beside the new ones.
    old = graph.get_state(history[0].config).values
    return [first, replayed, forked, old]


if __name__ == "__main__":
    for meal in main():
        print(meal)
