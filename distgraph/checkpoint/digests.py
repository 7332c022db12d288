"""Digests of questions, by which an answer is known to be for a question that is asked again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import SerializationError

SIZE = 8
"""Bytes of a digest, which tells the questions of one task from one another."""
_PLAIN = JsonPlusSerializer()


def digest_of(value: Any) -> str:
    """Return 16 hex digits that are the same for equal values, in every process.

    '' for a value that is not written as bytes; who keeps it knows it by its place alone.
    """
    data = _written(value, _PLAIN) or _written(value, JsonPlusSerializer(learn=True))
    return blake2b(data, digest_size=SIZE).hexdigest() if data else ""


def _written(value: Any, serializer: JsonPlusSerializer) -> bytes:
    try:
        return serializer.dumps(value)
    except SerializationError:  # of a class that this serializer has not seen, for example
        return b""
