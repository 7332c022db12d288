"""What of an exception is stored, and what a caller elsewhere gets of that."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Never

import pytest
from pydantic import BaseModel, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from distgraph.checkpoint.failures import ARGUMENTS
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.failures import rebuild
from distgraph.core.recorded import errored
from distgraph.errors import NoSuchInterrupt, RemoteNodeError, ThreadNotFound
from workers.shared.wire import Wire

NAMES = (
    "code where start end object reason filename errno lineno msg doc pos colno name path partial "
    "expected unknown pending value"
)
WIRE = Wire(JsonPlusSerializer())


def again(raised: Exception) -> Any:
    """Return what a caller gets of `raised`, which a node raised in another process."""
    return rebuild(WIRE.read_error(WIRE.error(errored(raised))))


def failing(call: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 what it is, is what the test is about
        call()
    return caught.value


def ran(*_: object, **__: object) -> Never:
    raise AssertionError("code of the class ran")


class PlainError(Exception):
    def __init__(self, code: int, *, where: str) -> None:
        super().__init__(f"{code} at {where}")
        self.code, self.where = code, where


class LockedError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__("locked", threading.Lock())
        self.code, self.lock = code, threading.Lock()


class SlottedError(Exception):
    __slots__ = ("code", "unset")

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class SilentError(Exception):
    """Says its text itself, and has no arguments."""

    def __init__(self, *, code: int) -> None:
        super().__init__()
        self.code = code

    def __str__(self) -> str:
        return f"code {self.code}"


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int


@dataclass
class UnhashableError(Exception):
    code: int


@dataclass(frozen=True, slots=True)
class FrozenSlotsError(Exception):
    code: int


class FileAndCodeError(ValueError, OSError):
    code = 0


class SeveralError(ExceptionGroup[Exception]):
    code = 0


class NotesTakenError(Exception):
    __notes__ = 5  # type: ignore[assignment]


class OddArgumentsError(Exception):
    args = "odd"  # type: ignore[assignment]


class ArgumentsRaiseError(Exception):
    args = property(ran)


@pytest.mark.parametrize(
    "raised",
    [
        ValueError(),
        ValueError("a", 7, None, b"x", ("y", [1.5])),
        KeyError("missing"),
        StopAsyncIteration(3),
        failing(lambda: b"ab\xff".decode()),
        failing(lambda: "aß".encode("ascii")),
        UnicodeTranslateError("text", 0, 9, "why"),
        failing(lambda: open("/nowhere/at/all")),  # noqa: SIM115, PTH123
        failing(lambda: json.loads("[1,")),
        failing(lambda: compile("a b", "file", "exec")),
        failing(lambda: __import__("nowhere_at_all")),
        failing(lambda: nowhere_at_all),  # type: ignore[name-defined] # noqa: F821
        failing(lambda: "".nowhere),  # type: ignore[attr-defined]
        asyncio.IncompleteReadError(b"ab", 7),
        NoSuchInterrupt(["a"], ["b", "c"]),
        ThreadNotFound("no thread"),
        PlainError(7, where="here"),
        SlottedError(7),
        SilentError(code=7),
        FrozenError(7),
        UnhashableError(7),
        FrozenSlotsError(7),
        FileAndCodeError(2, "no file", "/here"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_an_exception_arrives_as_it_was(raised: Exception) -> None:
    made = again(raised)
    assert (type(made), made.args, str(made)) == (type(raised), raised.args, str(raised))
    for name in NAMES.split():
        assert getattr(made, name, None) == getattr(raised, name, None), name
    assert [note for note in made.__notes__ if "Traceback" not in note] == []


def test_its_text_is_the_repr(  # as LangGraph shows it
) -> None:
    for raised in (ValueError(), ValueError("x"), KeyError("x"), FrozenError(7), OSError(2, "no")):
        error = errored(raised)
        read = WIRE.read_error(WIRE.error(error))
        assert str(read) == str(error) == repr(raised)


def test_the_exceptions_of_a_group_arrive_with_it() -> None:
    inner = ExceptionGroup(
        "in", [PlainError(7, where="here"), type("Hidden", (Exception,), {})("x")]
    )
    inner.exceptions[0].add_note("a note")
    made: Any = again(SeveralError("all", [inner, OSError(2, "no", "/file")]))
    assert type(made) is SeveralError
    assert (made.message, len(made.exceptions)) == ("all", 2)
    group, file = made.exceptions
    assert isinstance(group, ExceptionGroup)
    plain, hidden = group.exceptions
    assert isinstance(plain, PlainError)
    assert (plain.code, plain.where, plain.__notes__) == (7, "here", ["a note"])
    assert isinstance(hidden, RemoteNodeError)
    assert isinstance(file, OSError)
    assert file.filename == "/file"
    found: Any = made.subgroup(OSError)
    assert found.exceptions == (file,)


def test_of_a_wide_group_the_first_exceptions_arrive() -> None:
    made = again(ExceptionGroup("all", [ValueError("x" * 10_000) for _ in range(20)]))
    assert isinstance(made, ExceptionGroup)
    assert 2 <= len(made.exceptions) < 20
    left = 20 - len(made.exceptions)
    assert any(f"{left} more of 20 exceptions" in note for note in made.__notes__)


def test_a_group_that_is_very_deep_is_told() -> None:
    group: ExceptionGroup[Exception] = ExceptionGroup("0", [ValueError("x")])
    for n in range(100):
        group = ExceptionGroup(str(n + 1), [group])
    made = again(group)
    assert isinstance(made, ExceptionGroup)
    assert made.message == "100"


def test_attributes_that_cannot_be_stored_are_missing_and_named() -> None:
    made = again(LockedError(7))
    assert isinstance(made, LockedError)
    assert made.code == 7
    assert not hasattr(made, "lock")
    assert "'locked', <unlocked _thread.lock" in str(made)
    assert any(note.endswith("could not be stored: lock") for note in made.__notes__)


def test_attributes_have_a_bound() -> None:
    raised = PlainError(7, where="here")
    raised.large, raised.small = "x" * ARGUMENTS, "y"  # type: ignore[attr-defined]
    record = WIRE.error(errored(raised))
    made: Any = rebuild(WIRE.read_error(record))
    assert (made.code, made.small, hasattr(made, "large")) == (7, "y", False)
    assert len(record) < ARGUMENTS


@dataclass
class Place:
    street: str


def test_attributes_that_a_process_cannot_read_are_missing_for_it_alone() -> None:
    knows = Wire(JsonPlusSerializer(allowed=[Place]))
    raised = PlainError(7, where="here")
    raised.place = Place("High Street")  # type: ignore[attr-defined]
    record = knows.error(errored(ExceptionGroup("all", [raised])))
    (known,) = rebuild(knows.read_error(record)).exceptions  # type: ignore[attr-defined]
    assert known.place == Place("High Street")
    (made,) = rebuild(WIRE.read_error(record)).exceptions  # type: ignore[attr-defined]
    assert (type(made), str(made)) == (PlainError, "7 at here")
    assert any("cannot be read here" in note for note in made.__notes__)
    assert WIRE.read_result(record) == knows.read_result(record)


@pytest.mark.parametrize("cls", [NotesTakenError, OddArgumentsError, ArgumentsRaiseError])
def test_an_odd_class_is_told(cls: type[Exception]) -> None:
    made = again(cls("4711"))
    assert type(made) is cls
    assert "4711" in str(made)
    assert errored(cls("4711"), "a note").notes == ("a note",)


def test_large_data_is_no_hollow_exception() -> None:
    made = again(failing(lambda: (b"a" * ARGUMENTS + b"\xff").decode()))
    assert isinstance(made, RemoteNodeError)
    assert f"in position {ARGUMENTS}" in str(made)


def test_nothing_of_the_class_runs() -> None:
    methods = "__init__ __new__ __setattr__ __setstate__ __reduce__ __reduce_ex__ add_note"
    overridden: Any = dict.fromkeys(methods.split(), ran)
    cls = type("QuietError", (LookupError,), overridden | {"__module__": "planted"})
    raised: Exception = LookupError.__new__(cls, "text")
    module = ModuleType("planted")
    module.__dict__["QuietError"] = cls
    sys.modules["planted"] = module
    try:
        made = again(raised)
    finally:
        del sys.modules["planted"]
    assert (type(made), made.args) == (cls, ("text",))


@pytest.mark.parametrize("start", [-1, -(10**12), 10**30, "x", None])
def test_a_planted_place_in_a_text_reads_no_memory(start: Any) -> None:
    error = errored(UnicodeDecodeError("utf-8", b"a", 0, 1, "why"))
    planted = errored(ValueError("utf-8", b"a", start, start, "why"))
    record = WIRE.error(planted)
    read = WIRE.read_error(record)
    made = rebuild(type(read)(error.kind, "text", args=read.args))
    assert isinstance(made, RemoteNodeError)


# --- pydantic ----------------------------------------------------------------------------------


class Order(BaseModel):
    item: str
    amount: int = 1

    @field_validator("item")
    @classmethod
    def known(cls, item: str) -> str:
        if item == "coffee":
            raise ValueError("no {coffee}")
        if item == "water":
            raise PydanticCustomError("dry", "no {what} here", {"what": "water"})
        assert item != "ink", "no ink"
        return item


@pytest.mark.parametrize(
    "given",
    [
        {"amount": "many"},
        {"item": "coffee", "amount": "1.5"},
        {"item": "water"},
        {"item": "ink"},
        {},
        "text",
        {"item": 7, "amount": [1]},
    ],
    ids=str,
)
def test_what_pydantic_found_arrives_line_by_line(given: Any) -> None:
    raised: Any = failing(lambda: Order.model_validate(given))
    made = again(raised)
    assert type(made) is ValidationError
    assert (str(made), made.title) == (str(raised), raised.title)
    for line, found in zip(made.errors(), raised.errors(), strict=True):
        for name in ("type", "loc", "msg", "input"):
            assert line[name] == found[name]


def test_what_json_was_called_is_kept() -> None:
    raised: Any = failing(lambda: Order.model_validate_json("[]"))
    made = again(raised)
    assert [line["msg"] for line in made.errors()] == [line["msg"] for line in raised.errors()]


@pytest.mark.parametrize("given", [threading.Lock(), "x" * ARGUMENTS], ids=["lock", "large"])
def test_an_input_that_cannot_be_stored_is_left_out(given: Any) -> None:
    raised: Any = failing(lambda: Order.model_validate({"item": "tea", "amount": given}))
    made = again(raised)
    assert type(made) is ValidationError
    (line,) = made.errors()
    assert (line["loc"], line["type"]) == (("amount",), raised.errors()[0]["type"])
    assert len(str(line["input"])) < 100
