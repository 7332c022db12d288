"""Classes that may be stored are named as LangGraph's programs name them; pickles are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import SerializationError


@dataclass
class Order:
    n: int


NAMED: dict[str, dict[str, Any]] = {
    "classes": {"allowed_msgpack_modules": [Order]},
    "pairs": {"allowed_msgpack_modules": [(__name__, "Order")]},
    "parts": {"allowed_json_modules": [(*__name__.split("."), "Order")]},
}


@pytest.mark.parametrize("options", NAMED.values(), ids=NAMED)
def test_a_class_that_is_named_may_be_stored(options: dict[str, Any]) -> None:
    serde = JsonPlusSerializer(**options)
    assert serde.loads_typed(serde.dumps_typed(Order(1))) == Order(1)


def test_none_names_no_class() -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=None, pickle_fallback=False)
    with pytest.raises(SerializationError, match="Order"):
        serde.dumps(Order(1))


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "any": ({"allowed_msgpack_modules": True}, ValueError, "Name the classes"),
    "any-json": ({"allowed_json_modules": True}, ValueError, "allowed_json_modules=True"),
    "pickle": ({"pickle_fallback": True}, ValueError, "could run code"),
    "no-class": ({"allowed_msgpack_modules": [(__name__, "None")]}, ValueError, "has no class"),
    "one-name": ({"allowed_msgpack_modules": "Order"}, TypeError, "lists classes, or pairs"),
    "number": ({"allowed_msgpack_modules": [3]}, TypeError, "lists classes"),
    "no-module": ({"allowed_msgpack_modules": [("no_such", "A")]}, ModuleNotFoundError, "no_such"),
}


@pytest.mark.parametrize(("options", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_names_no_class_is_refused(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        JsonPlusSerializer(**options)
