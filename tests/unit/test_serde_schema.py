"""Which classes a state schema brings along."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypeVar

from pydantic import BaseModel
from typing_extensions import TypeAliasType, TypedDict

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of


class Hue(enum.Enum):
    RED = 1


class Tone(enum.Enum):
    DARK = 1


@dataclass
class Leaf:
    hue: Hue
    again: Optional[Tree] = None  # noqa: UP045 - the older spelling is seen as well


@dataclass
class Tree:
    leaves: list[Leaf]


class Pair(NamedTuple):
    left: Tree


class Box(BaseModel):
    pair: Pair
    tone: Literal[Tone.DARK] = Tone.DARK


class Nested(TypedDict):
    box: Box | None


T = TypeVar("T", bound=Hue)


@dataclass
class Held(Generic[T]):
    item: T


Id = NewType("Id", Leaf)
Alias = TypeAliasType("Alias", list[Box])


def reduce(left: Any, right: Any) -> Any:
    return left or right


def test_typed_dict_leads_to_everything_below() -> None:
    class State(TypedDict):
        items: Annotated[list[Nested], operator.add]

    assert classes_of(State) == {Box, Pair, Tree, Leaf, Hue, Tone}


def test_a_schema_that_can_be_stored_is_found_itself() -> None:
    assert classes_of(Leaf) == {Leaf, Tree, Hue}
    assert Box in classes_of(Box)


def test_bare_annotated_and_several_schemas() -> None:
    assert classes_of(Annotated[dict[str, Hue], reduce], tuple[Tone, ...]) == {Hue, Tone}


def test_generics_new_types_aliases_and_callables() -> None:
    assert classes_of(Held[Hue]) == {Held, Hue}
    assert classes_of(Id) == {Leaf, Tree, Hue}
    assert Box in classes_of(Alias)
    assert classes_of(Callable[[Tone], None]) == {Tone}


def test_what_cannot_be_resolved_is_passed_over() -> None:
    class State(TypedDict):
        bad: NoSuchName  # type: ignore[name-defined]  # noqa: F821
        worse: 1 / 0  # type: ignore[valid-type]
        good: Hue

    assert classes_of(State) == {Hue}


def test_unhashable_metadata_and_odd_schemas_do_no_harm() -> None:
    assert classes_of(Annotated[Hue, {"a": [1]}, [2]], None, Any, int, "text", [Tone]) == {
        Hue,
        Tone,
    }


def test_a_local_model_is_resolved() -> None:
    @dataclass
    class Local:
        a: int

    class Holder(BaseModel):
        local: Local

    found = classes_of(Holder)
    assert found == {Holder, Local}
    serde = JsonPlusSerializer(allowed=found)
    assert serde.loads(serde.dumps(Holder(local=Local(1)))) == Holder(local=Local(1))
