"""Different classes may have one name, as long as nobody has to tell them apart by it."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar

import pytest
from pydantic import BaseModel, create_model

from distgraph.checkpoint.serde.classes import ref_of
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import DeserializationError
from distgraph.graph import START, StateGraph
from workers.shared.served import Registry

T = TypeVar("T")
K = TypeVar("K")


class Page(BaseModel, Generic[T]):
    items: list[T]


class Pair(BaseModel, Generic[K, T]):
    key: K
    value: T


def item(module: str) -> Any:
    """Return a model of the name Item, as that module may have it."""
    return create_model("Item", amount=(int, ...), __module__=module)


PAGES: Any = Page
PAIRS: Any = Pair
BILL, POST = item("billing.models"), item("post.models")
BILLS: Any = list[Annotated[BILL, "x"]]  # type: ignore[valid-type]
PAGE = f"{__name__}:Page"


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (PAGES[int], f"{PAGE}[int]"),
        (PAGES[BILL], f"{PAGE}[Item] of billing.models:Item"),
        (PAGES[BILL | None], f"{PAGE}[Union[Item, NoneType]] of billing.models:Item"),
        (PAGES[BILLS], "of billing.models:Item"),
        (PAGES[Literal["a"]], f"{PAGE}[Literal['a']]"),
        (PAGES[PAGES[BILL]], f"{PAGE}[Page[Item]] of {PAGE}[Item] of billing.models:Item"),
        (PAIRS[BILL, POST], "of billing.models:Item, post.models:Item"),
        (type("Bills", (PAGES[BILL],), {"__module__": __name__}), f"{__name__}:Bills"),
    ],
)
def test_a_model_with_parameters_is_named_with_their_classes(cls: Any, name: str) -> None:
    assert ref_of(cls) == name or (name.startswith("of") and ref_of(cls).endswith(name))


def test_models_of_one_generic_stand_side_by_side_in_one_state() -> None:
    both = JsonPlusSerializer(allowed=[BILL, POST, PAGES[BILL], PAGES[POST]])
    for of in (BILL, POST):
        page = PAGES[of](items=[of(amount=1)])
        again = both.loads(both.dumps(page))
        assert (type(again), type(again.items[0])) == (PAGES[of], of)
        assert again == page


def named(name: str, cls: Any) -> Any:
    schema: Any = TypedDict(name, {"item": cls}, total=False)  # type: ignore[misc]
    builder = StateGraph(schema).add_node("a", lambda _: None).add_edge(START, "a")
    return builder.compile(name=name).graph


def test_graphs_of_one_backend_know_their_own_and_nobody_confuses_them() -> None:
    registry = Registry((), 1_000)
    one, other, plain = item("shop"), item("shop"), item("bank")
    for name, cls in (("one", one), ("other", other), ("plain", plain)):
        registry.add(named(name, cls), None, name)
    for name, cls in (("one", one), ("other", other)):
        serializer = registry.common_wire().of(name).serializer
        stored = serializer.dumps(cls(amount=1))
        assert type(serializer.loads(stored)) is cls
        with pytest.raises(DeserializationError, match="shop:Item"):
            registry.common_wire().serializer.loads(stored)
    common = registry.common_wire().of("a graph that is not known").serializer
    assert type(common.loads(common.dumps(plain(amount=1)))) is plain


def test_a_graph_that_is_compiled_again_knows_the_later_class() -> None:
    registry = Registry((), 1_000)
    first, again = item("shop"), item("shop")
    registry.add(named("one", first), None, "one")
    registry.add(named("one", again), None, "one")
    for wire in (registry.common_wire().of("one"), registry.common_wire()):
        assert type(wire.serializer.loads(wire.serializer.dumps(again(amount=1)))) is again


def test_two_of_one_name_in_one_state_are_refused() -> None:
    registry = Registry((), 1_000)
    schema: Any = TypedDict("schema", {"a": item("shop"), "b": item("shop")})  # type: ignore[misc]
    builder = StateGraph(schema).add_node("a", lambda _: None).add_edge(START, "a")
    with pytest.raises(ValueError, match="Two different classes are named shop:Item"):
        registry.add(builder.compile(name="both").graph, None, "both")
