"""Real Celery and real Redis inside one process: for notebooks, tests and first attempts.

No server has to run: the backend brings its own Redis. Closures and local functions work as
nodes, because the worker shares this process::

    python -m examples.notebook
"""

from __future__ import annotations

import operator
import tempfile
from pathlib import Path
from typing import Annotated, TypedDict

from distgraph.graph import END, START, StateGraph
from workers import CeleryBackend


class Words(TypedDict, total=False):
    """The state: a text, and how long its words are."""

    text: str
    lengths: Annotated[list[int], operator.add]


def main(folder: Path) -> list[int]:
    """Build a graph out of local functions and run it on a worker in this process."""
    seen: list[str] = []

    def split(state: Words) -> Words:
        words = state["text"].split()
        seen.extend(words)
        return {"lengths": [len(word) for word in words]}

    builder = StateGraph(Words)
    builder.add_node(split).add_edge(START, "split").add_edge("split", END)
    with CeleryBackend.embedded(folder) as backend:
        graph = builder.compile(name="words", backend=backend)
        with backend.worker(concurrency=2):
            state = graph.invoke(
                {"text": "no server had to be started"}, {"configurable": {"thread_id": "1"}}
            )
        print(dict(zip(seen, state["lengths"], strict=True)))
        return list(state["lengths"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(scratch))
