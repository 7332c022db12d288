"""What a store keeps, what it is asked for, and how it is set up, by LangGraph's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypedDict

from distgraph._arguments import shortly

StoreNamespace = tuple[str, ...]
NamespacePath = tuple[str, ...]
"""A part of namespaces, in which "*" is any text."""
NamespaceMatchType = Literal["prefix", "suffix"]
Index = Literal[False] | Sequence[str] | None
OpResult = Any
"""What an operation gives: an Item or None, a list of SearchItems or of namespaces, or None."""


class InvalidNamespaceError(ValueError):
    """A namespace is empty, or has a part that is empty, has a dot, or is the library's own."""


class IndexConfig(TypedDict, total=False):
    """How the values of a store are found by their meaning.

    ``embed``: what returns a vector of ``dims`` numbers for each of a list of texts; a function, a
    coroutine function, or an object with ``embed_documents`` and ``embed_query`` as langchain's
    have. ``fields``: the paths of the texts in a value, by default ["$"], all of it.
    """

    dims: int
    embed: Any
    fields: list[str] | None


class TTLConfig(TypedDict, total=False):
    """How long values are kept whose ``put`` says nothing else: minutes, None for ever.

    ``refresh_on_read``: whether being read, and found, begins their time anew.
    """

    default_ttl: float | None
    refresh_on_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A value in a store; times in UTC."""

    value: dict[str, Any]
    key: str
    namespace: StoreNamespace
    created_at: datetime
    updated_at: datetime

    def dict(self) -> Mapping[str, Any]:
        """Return it as plain values, times as text."""
        given = asdict(self)
        times = {name: given[name].isoformat() for name in ("created_at", "updated_at")}
        return {**given, **times, "namespace": list(self.namespace)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchItem(Item):
    """A value that a search has found; ``score``: how near it is to the query, 1 is the same."""

    score: float | None = None


class GetOp(NamedTuple):
    """Asks for one value."""

    namespace: StoreNamespace
    key: str
    refresh_ttl: bool = True


class SearchOp(NamedTuple):
    """Asks for the values below a namespace that a filter takes, those nearest to a query first.

    ``filter``: field -> value, or field -> {operator: value} with the operators $eq, $ne, $gt,
    $gte, $lt and $lte; of a dict or list in its place each part is a filter, too.
    """

    namespace_prefix: StoreNamespace
    filter: Mapping[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh_ttl: bool = True


class PutOp(NamedTuple):
    """Asks to keep a value for ``ttl`` minutes, None for ever; a value of None removes it.

    ``index``: the paths by which it is searched, False for none, None for those of the store.
    """

    namespace: StoreNamespace
    key: str
    value: dict[str, Any] | None
    index: Index = None  # type: ignore[assignment]
    ttl: float | None = None


class MatchCondition(NamedTuple):
    """What the namespaces asked for begin or end with; "*" is any part."""

    match_type: NamespaceMatchType
    path: NamespacePath


class ListNamespacesOp(NamedTuple):
    """Asks for namespaces, cut to ``max_depth`` parts, sorted."""

    match_conditions: tuple[MatchCondition, ...] | None = None
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


Op = GetOp | SearchOp | PutOp | ListNamespacesOp


def found_item(item: Item, score: float | None) -> SearchItem:
    """Return ``item`` as a search gives it."""
    return SearchItem(
        value=item.value,
        key=item.key,
        namespace=item.namespace,
        created_at=item.created_at,
        updated_at=item.updated_at,
        score=score,
    )


def check_namespace(namespace: Any) -> None:
    """Raise InvalidNamespaceError for what nothing can be put under."""
    if not isinstance(namespace, tuple) or not namespace:
        msg = f"A namespace is a tuple of at least one text, not {shortly(namespace)}."
        raise InvalidNamespaceError(msg)
    check_parts(namespace)
    if namespace[0] == "langgraph":
        msg = 'Root label for namespace cannot be "langgraph".'
        raise InvalidNamespaceError(msg)


def check_parts(namespace: Iterable[Any]) -> StoreNamespace:
    """Return a namespace, or a part of one; InvalidNamespaceError for what is none."""
    parts = tuple(namespace)
    for part in parts:
        if not isinstance(part, str) or not part or "." in part:
            msg = (
                f"The parts of a namespace are texts that are not empty and have no dot, not "
                f"{shortly(part)}."
            )
            raise InvalidNamespaceError(msg)
    return parts


def validate_op_namespace(op: Op) -> None:
    """Raise InvalidNamespaceError for an op with a namespace that no store has.

    For who writes a store: an op that was not made by one of BaseStore's methods was not checked.
    """
    match op:
        case GetOp() | PutOp():
            check_parts(op.namespace)
        case SearchOp():
            check_parts(op.namespace_prefix)
        case ListNamespacesOp():
            for condition in op.match_conditions or ():
                check_parts(condition.path)


def page_of_namespaces(known: set[StoreNamespace], op: ListNamespacesOp) -> list[StoreNamespace]:
    """Return what ``op`` asks for of all namespaces that are known."""
    conditions = op.match_conditions or ()
    matching = (ns for ns in known if all(_matches(ns, each) for each in conditions))
    cut = sorted({ns[: op.max_depth] for ns in matching})
    return cut[op.offset : op.offset + op.limit]


def _matches(namespace: StoreNamespace, condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    is_prefix = condition.match_type == "prefix"
    part = namespace[: len(path)] if is_prefix else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", given) for wanted, given in zip(path, part, strict=True))
