"""The classes of messages that stored data may name: a closed list, beside which none is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distgraph.messages import langchain
from distgraph.messages.plain import CLASSES

_OWN: Mapping[str, type] = {f"{cls.__module__}:{cls.__qualname__}": cls for cls in CLASSES}


def class_named(ref: str) -> type | None:
    """Return the class that stored data calls ``ref``, if it is one of messages and is there."""
    return _OWN.get(ref) or (langchain.class_named(ref) if langchain.is_ref(ref) else None)


def way_out(ref: Any) -> str:
    """Return what to do about a class of messages that is not there; '' for any other class."""
    return langchain.NEEDED if langchain.is_ref(ref) else ""
