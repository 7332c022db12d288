"""Digests of questions, by which an answer is known to be for a question that is asked again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import SerializationError

SIZE = 8
"""Bytes of a digest, which tells the questions of one task from one another."""


def digest_of(value: Any) -> str:
    """Return 16 hex digits that are the same for equal values, in every process.

    '' for a value that is not written as bytes; who keeps it knows it by its place alone.
    """
    try:
        data = JsonPlusSerializer(learn=True).dumps(value)
    except SerializationError:
        return ""
    return blake2b(data, digest_size=SIZE).hexdigest()
