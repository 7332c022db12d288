"""How near vectors are to one another, and what is nearest to a query."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")
Vector = Sequence[float]


def nearest(
    entries: Sequence[tuple[T, Sequence[Vector]]], query: Vector
) -> list[tuple[T, float | None]]:
    """Return entries with their scores, the nearest to ``query`` first; 1 is the same direction.

    The nearest vector of an entry counts; what has none comes last, with None.
    """
    flat = iter(_cosines([vector for _, vectors in entries for vector in vectors], query))
    scored = [
        (entry, max((next(flat) for _ in vectors), default=None)) for entry, vectors in entries
    ]
    return sorted(scored, key=lambda each: math.inf if each[1] is None else -each[1])


def _cosines(vectors: Sequence[Vector], query: Vector) -> list[float]:
    numpy = _numpy()
    if numpy is None or not vectors:
        return [_cosine(vector, query) for vector in vectors]
    rows, wanted = numpy.asarray(vectors, dtype=float), numpy.asarray(query, dtype=float)
    lengths = numpy.linalg.norm(rows, axis=1) * numpy.linalg.norm(wanted)
    found: list[float] = (rows @ wanted / numpy.where(lengths == 0, 1, lengths)).tolist()
    return found


@cache
def _numpy() -> Any:
    """Return numpy where it is installed: many vectors are compared a hundred times as fast."""
    try:
        return import_module("numpy")
    except ImportError:
        return None


def _cosine(one: Vector, other: Vector) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / length if length else 0.0
