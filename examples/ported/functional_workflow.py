"""A workflow of functions: drafts are written at once, one is approved, and the next run knows it.

::

    python -m examples.ported.functional_workflow
"""

from __future__ import annotations

from typing import Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.func import entrypoint, task
from distgraph.types import Command, interrupt


@task
def draft(topic: str, style: str) -> str:
    """Write a draft; its result is kept, so that it is not written again after the question."""
    return f"{style} words on {topic}"


@task
def publish(text: str) -> str:
    """Do what must not be done without an approval."""
    return f"published: {text}"


@entrypoint(checkpointer=InMemorySaver())
def editor(topic: str, *, previous: list[str] | None = None) -> entrypoint.final[str, list[str]]:
    """Return what came of it; saved, for the next run of the thread, are all topics so far."""
    waiting = [draft(topic, style) for style in ("kind", "stern")]
    drafts = [each.result() for each in waiting]
    chosen = interrupt({"choose": drafts, "before": previous or []})
    said = publish(drafts[chosen]).result()
    return entrypoint.final(value=said, save=[*(previous or []), topic])


def main(graph: Any = editor) -> Any:
    """Return the question and the result of two runs on one thread."""
    config = {"configurable": {"thread_id": "editor"}}
    told = []
    for topic, chosen in (("rain", 1), ("snow", 0)):
        asked = graph.invoke(topic, config)["__interrupt__"][0].value
        told.append((asked, graph.invoke(Command(resume=chosen), config)))
    return told


if __name__ == "__main__":
    for line in main():
        print(line)
