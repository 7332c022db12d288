"""The chunks of a stream at all levels: of the graph that was called, and of those inside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from distgraph._message import message_id
from distgraph.events import Custom, Event, Inside, Relayed
from distgraph.streaming import View, chunks

PIECE = "piece"
"""Stands for the mode of what another process shows of a message that is not whole."""
PlacedChunk = tuple[str, str, Any]


def placed_chunks(view: View, event: Event, *, subgraphs: bool) -> Iterator[PlacedChunk]:
    """Yield (namespace, mode, payload) for an event of any level, in LangGraph's order.

    Without ``subgraphs`` nothing is shown of graphs inside but their custom chunks. What another
    process made may be of the graph itself: of a function that a task of it calls.
    """
    match event:
        case Inside(graph, told, kept):
            if subgraphs or isinstance(told, Custom):
                thread = view.thread_id if kept else ""
                within = replace(view, graph=graph, keys=graph.outputs, thread_id=thread)
                yield from ((told.ns, mode, chunk) for mode, chunk in chunks(within, told))
        case Relayed(ns, made, known):
            for mode, chunk in made:
                is_shown = subgraphs or not ns or mode == "custom"
                if mode == PIECE:
                    if "messages" in view.modes and is_shown:
                        view.seen.add(message_id(chunk[0]))
                        yield ns, "messages", chunk
                elif mode in view.modes and is_shown and _is_new(view, mode, chunk):
                    yield ns, mode, chunk
            view.seen.update(known if subgraphs or not ns else ())
        case _:
            yield from ((event.ns, mode, chunk) for mode, chunk in chunks(view, event))


def _is_new(view: View, mode: str, chunk: Any) -> bool:
    """Whether nobody has seen a chunk that another process made, whose state it knew alone."""
    if mode != "messages":
        return True
    key = message_id(chunk[0])
    known = key is not None and key in view.seen
    view.seen.add(key)
    return not known
