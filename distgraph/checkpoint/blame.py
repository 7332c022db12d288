"""Which part of a record is to blame when it cannot be stored: asked only after that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from distgraph.core.model import (
    START,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Result,
    Target,
)
from distgraph.errors import SerializationError
from distgraph.types import Send

Part = tuple[str, Any]
"""What is told of a part of a record, and its value."""
INPUT, QUESTION, ANSWER = "The input", "The value given to interrupt()", "The answer"
DEFAULT = "default= of interrupt()"


def blamed(
    error: SerializationError, dumps: Callable[[Any], bytes], parts: Iterable[Part]
) -> SerializationError:
    """Return ``error`` with the name of the first part that is at fault by itself.

    Where none is, all of them are too large together: the largest is named, with its size.
    """
    sizes: list[tuple[int, str]] = []
    for name, value in parts:
        try:
            sizes.append((len(dumps(value)), name))
        except SerializationError as found:
            return SerializationError(f"{name}: {found}")
    if not sizes:
        return error
    size, largest = max(sizes)
    rest = f", the largest of {len(sizes):,} that are stored together" if len(sizes) > 1 else ""
    return SerializationError(f"{largest} ({size:,} bytes{rest}): {error}")


def of_key(key: str) -> str:
    """Return what a state key is called; what a run begins with is no key of the user's."""
    return INPUT if key == START else f"State key '{key}'"


def of_packet(node: str) -> str:
    """Return what the argument of a Send is called."""
    return f"The packet sent to node '{node}'"


def of_result(result: Result) -> Iterator[Part]:
    """Yield the parts of what a task left, or of what a caller wrote."""
    match result:
        case Completed(writes, goto):
            yield from ((of_key(key), value) for key, value in writes)
            yield from of_targets(goto)
        case Errored():
            yield "The failure", [result.message, result.traceback, *result.notes]
        case Interrupted() | Escaped():
            pass


def of_packed(record: Any) -> Iterator[Part]:
    """Yield the parts of the record of a completed task, which is what a caller wrote."""
    match record:
        case [_, _, list(pairs), list(goto)]:
            keys, values = pairs[::2], pairs[1::2]
            yield from of_result(Completed(tuple(zip(keys, values, strict=True)), tuple(goto)))
        case _:
            pass


def of_targets(targets: Iterable[Target]) -> Iterator[Part]:
    """Yield the packets among what is to run next."""
    for target in targets:
        if isinstance(target, Send):
            yield of_packet(target.node), target.arg


def of_checkpoint(checkpoint: Checkpoint) -> Iterator[Part]:
    """Yield the parts of a checkpoint's record, in which its values are not."""
    yield from of_targets(checkpoint.frontier)
    yield from ((f"config entry '{key}'", value) for key, value in checkpoint.metadata.items())
