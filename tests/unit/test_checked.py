"""Every public argument is checked where the caller's code ends."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from inspect import isabstract
from pkgutil import walk_packages
from types import FunctionType
from typing import Any, get_args

import pytest

import checkpoint_redis
import distgraph
import distgraph.graph
import workers
from distgraph._allowed import Allowed, CheckedLater
from distgraph._checked import Signature, checked
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.graph import CompiledStateGraph, StateGraph
from workers import CeleryBackend
from workers.client.run import CeleryRun
from workers.client.thread import ThreadHandle

FREE: Mapping[str, str] = {
    "action": "what a node does: callee_of, with the name of the node",
    "args_schema": "what describes the arguments of a tool: langchain-core",
    "backend": "whatever carries runs: CompiledStateGraph.placed",
    "cache": "None, or what keeps results: checked_cache",
    "checkpointer": "a saver, True, False or None: compile",
    "context": "what the context schema says",
    "context_schema": "no annotation says what a schema is",
    "current": "a version, which a saver made itself",
    "error_handler": "what takes the place of a node that failed: handler_of",
    "factory": "makes tables",
    "fallbacks": "what is called in place of a graph that fails: langchain-core",
    "input": "whatever the state can be made from",
    "input_schema": "no annotation says what a schema is: check_schema",
    "more": "entries of a config",
    "node": "a name, or what a node does: callee_of",
    "options": "those of the constructor",
    "others": "what is piped: langchain-core",
    "output_schema": "no annotation says what a schema is: check_schema",
    "path": "what chooses the next nodes: callee_of",
    "path_map": "of the conditional entry point: add_conditional_edges",
    "state_schema": "no annotation says what a schema is: check_schema",
    "store": "None, or what keeps values: checked_store",
    "value": "an answer may be anything that can be stored",
    "values": "an update is what a node may return",
}
"""Arguments that their annotations leave free, and what they are or who looks at them."""
MADE_HERE = (CeleryRun, ThreadHandle, CompiledStateGraph)
"""Classes that a user does not make himself."""


def savers() -> list[type]:
    """Return all savers of the packages."""
    for package in (distgraph, checkpoint_redis):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            __import__(module.name)
    found = [BaseCheckpointSaver]
    for cls in found:
        found += [sub for sub in cls.__subclasses__() if not sub.__module__.startswith("tests")]
    return [cls for cls in found if ".saver" in cls.__module__ or ".checkpoint." in cls.__module__]


CLASSES = dict.fromkeys(
    (CeleryBackend, CompiledStateGraph, CeleryRun, StateGraph, ThreadHandle, *savers())
)


def methods(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """Yield the public methods of ``cls``, those of its bases too, and how it is made."""
    for name in dir(cls):
        made = name == "__init__" and cls not in MADE_HERE
        member = inspect.getattr_static(cls, name)
        call = getattr(member, "__func__", member)
        if (made or not name.startswith("_")) and inspect.isfunction(call):
            yield name, call


ARGUMENTS = [
    pytest.param(cls, call, name, hint, id=f"{cls.__name__}.{method}.{name}")
    for cls in CLASSES
    for method, call in methods(cls)
    for name, hint in Signature(call).hints()
]


def allowed_of(argument: Any) -> Allowed | None:
    """Return what one of ``ARGUMENTS`` is allowed to be."""
    _, call, name, _ = argument.values
    return Signature(call).named.get(name)


def is_checked_later(hint: Any) -> bool:
    """Whether the type of an argument is for type checkers alone."""
    return any(isinstance(note, CheckedLater) for note in get_args(hint)[1:])


class Wrong:
    """What nothing takes."""


@pytest.mark.parametrize(("cls", "call", "name", "hint"), ARGUMENTS)
def test_a_wrong_argument_is_named_before_anything_happens(
    cls: type, call: Any, name: str, hint: Any
) -> None:
    if Signature(call).named.get(name) is None:
        assert name in FREE or is_checked_later(hint), (
            f"{name}: {hint} says nothing; give it a type, or say who checks it"
        )
        return
    owner = cls if isinstance(inspect.getattr_static(cls, call.__name__), classmethod) else None
    owner = owner or object.__new__(cls)
    with pytest.raises(TypeError, match=rf"^{cls.__name__}\S*\(\): {name} must be .*, not .*Wrong"):
        told(call(owner, **{name: Wrong()}))


LEAST = [each for each in ARGUMENTS if getattr(allowed_of(each), "least", None) is not None]


@pytest.mark.parametrize(("cls", "call", "name", "hint"), LEAST)
def test_a_number_that_is_too_small_is_named_before_anything_happens(
    cls: type, call: Any, name: str, hint: Any
) -> None:
    least = Signature(call).named[name].least
    assert least is not None
    says = rf"^{cls.__name__}\S*\(\): {name} must be a whole number of {least} or more"
    with pytest.raises(ValueError, match=rf"{says}.*, not int {least - 1}\."):
        told(call(object.__new__(cls), **{name: least - 1}))


def test_whatever_says_how_many_are_returned_has_a_smallest_number() -> None:
    limits = {each.id for each in ARGUMENTS if each.values[2] == "limit"}
    assert limits
    assert limits <= {each.id for each in LEAST}


def told(returned: Any) -> None:
    """Have a coroutine begin, which ends at once."""
    returned.send(None)


def test_every_class_that_is_offered_is_looked_at() -> None:
    offered = [getattr(m, name) for m in (distgraph.graph, workers) for name in m.__all__]
    with_methods = {c for c in offered if inspect.isclass(c) and [*methods(c)]}
    made = {c for c in with_methods if not hasattr(c, "model_fields") and not isabstract(c)}
    assert made <= CLASSES.keys()


def test_no_reason_is_given_for_what_is_not_free() -> None:
    free = {
        each.values[2]
        for each in ARGUMENTS
        if not is_checked_later(each.values[3])
        and Signature(each.values[1]).named.get(each.values[2]) is None  # type: ignore[arg-type, call-overload]
    }
    assert free == FREE.keys()


@checked
class Shop:
    """Some calls."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def sell(self, count: int, *, config: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        return count, config

    @classmethod
    def opened(cls, name: str) -> Shop:
        return cls(name)

    async def asell(self, count: int) -> int:
        return count

    def _inside(self, count: int) -> int:
        return count


SHOP: Any = Shop


def test_what_fits_is_passed_on() -> None:
    assert Shop().sell(5, config={}) == (5, {})
    assert Shop.opened("a").name == "a"
    assert inspect.signature(Shop.sell) == inspect.signature(Shop.sell.__wrapped__)  # type: ignore[attr-defined]


async def test_a_coroutine_stays_one() -> None:
    assert inspect.iscoroutinefunction(Shop.asell)
    assert await Shop().asell(5) == 5
    with pytest.raises(TypeError, match=r"Shop\.asell\(\): count must be a whole number"):
        await SHOP().asell("5")


REFUSED = [
    (lambda: SHOP(5), "(): name must be a string, not int 5."),
    (lambda: SHOP.opened(5), ".opened(): name must be a string, not int 5."),
    (lambda: SHOP().sell("5"), ".sell(): count must be a whole number, not str '5'."),
    (lambda: SHOP().sell(None), ".sell(): count must be a whole number, not None."),
    (lambda: SHOP().sell(["a"]), ".sell(): count must be a whole number, not list of 1 (str)."),
    (lambda: SHOP().sell(Wrong()), f"a whole number, not {__name__}.Wrong."),
    (lambda: SHOP().sell(5, config="t"), "config must be a dict such as {'configurable': "),
    (lambda: SHOP().sell(5, config="t"), "'...'}} or None, not str 't'."),
]


@pytest.mark.parametrize(("call", "says"), REFUSED)
def test_a_message_names_the_call_the_argument_and_what_it_takes(call: Any, says: str) -> None:
    with pytest.raises(TypeError, match=f"^Shop.*{re.escape(says)}"):
        call()


def test_python_itself_tells_of_missing_and_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'count'"):
        SHOP().sell()
    with pytest.raises(TypeError, match="unexpected keyword argument 'price'"):
        SHOP().sell(5, price=5)
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        SHOP().sell(5, 6)


def test_what_begins_with_an_underscore_is_left_alone() -> None:
    assert SHOP()._inside("5") == "5"
