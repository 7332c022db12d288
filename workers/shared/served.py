"""The graphs that a backend knows: with their code, and how their values are encoded."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from distgraph.checkpoint.serde.classes import of_one_name
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.graph import Graph, Node
from distgraph.graph.subgraphs import schemas_of

from .inner import inner_graphs
from .notices import Notice
from .wire import Wire

CELERYS_OWN = "celery"
"""The queue that Celery has where an application names none."""
AS_GIVEN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Served:
    """A registered graph; ``queue`` is where its tasks go unless a node says otherwise.

    ``inner``: the graphs inside of it whose tasks are jobs too. ``unserved`` is what its callers in
    this process notice of the workers that serve it. ``compiled`` is the graph as its user has it,
    ``others`` are all of the backend, by their names.
    """

    graph: Graph
    wire: Wire
    queue: str
    unserved: Notice = field(default_factory=Notice, compare=False)
    inner: tuple[Graph, ...] = ()
    compiled: Any = field(default=None, compare=False)
    others: Mapping[str, Served] = field(default_factory=dict, compare=False, repr=False)

    @property
    def own_queue(self) -> str:
        """The name of that queue at the broker."""
        return self.queue or CELERYS_OWN

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that its tasks go to, by their names at the broker."""
        named = (node.queue for _, node in self.nodes() if node.queue)
        nodes = (self.wire.routes.get(queue, queue) for queue in named)
        return tuple(dict.fromkeys((self.own_queue, *nodes)))

    @property
    def callbacks(self) -> Any:
        """The callbacks of its own config, which every process has that registers it."""
        return self.compiled.config.get("callbacks") if self.compiled is not None else None

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """Yield its nodes and those of the graphs inside of it, by their names."""
        for graph in (self.graph, *self.inner):
            yield from graph.nodes.items()

    def urgent(self) -> Iterator[tuple[str, str]]:
        """Yield the nodes that have a priority, each with its queue."""
        for name, node in self.nodes():
            if node.priority:
                yield name, self.wire.routes.get(node.queue, node.queue) or self.own_queue

    @property
    def label(self) -> str:
        """What a worker tells the scripts that it serves."""
        return label_of(self.graph)


def label_of(graph: Graph) -> str:
    """Return what the scripts know a version of a graph by."""
    return f"{graph.name}@{graph.fingerprint}"


class Registry:
    """The graphs of one backend, by name; TypeError for ``types`` that cannot be stored."""

    def __init__(self, types: Iterable[type], max_bytes: int) -> None:
        self._types, self._max_bytes = tuple(types), max_bytes
        self._serializer(())  # refuses what cannot be allowed
        self._graphs: dict[str, Served] = {}
        self._routes: dict[str, str] = {}
        self._classes: dict[str, frozenset[type]] = {}
        self._wide: dict[str, Served] = {}
        self._common: Wire | None = None
        self._labels: tuple[str, ...] = ()

    def add(
        self,
        graph: Graph,
        context_schema: Any,
        queue: str,
        routes: Mapping[str, str] = AS_GIVEN,
        compiled: Any = None,
    ) -> Served:
        """Register ``graph``; ValueError when a different one has the name already.

        In an interactive session it replaces that one, as a cell does that is run again. ``queue``
        is the graph's own one; ``routes``: the names at the broker of those of its nodes;
        ``compiled``: the graph as tasks may call it.
        """
        known = self._graphs.get(graph.name)
        other = known is not None and known.graph.fingerprint != graph.fingerprint
        if other and not _is_interactive():
            msg = (
                f"This backend already has another graph with the name '{graph.name}': "
                "compile one of them under another name."
            )
            raise ValueError(msg)
        schemas = (*schemas_of(graph), *((context_schema,) if context_schema else ()))
        # A graph may call any other one, whose nodes name queues too.
        self._routes |= routes
        self._classes[graph.name] = classes = classes_of(*schemas)
        wire = Wire(self._serializer(classes), self._routes)
        noticed = known.unserved if known else Notice()
        self._graphs[graph.name] = Served(
            graph, wire, queue, noticed, inner_graphs(graph), compiled, self._graphs
        )
        self._common, self._labels, self._wide = None, self._known(), {}
        return self._graphs[graph.name]

    def serializer(self, graph: Graph) -> JsonPlusSerializer:
        """Return what encodes the values of ``graph``, also of one that others call."""
        known = self._graphs.get(graph.name)
        if known is not None and known.graph is graph:
            return known.wire.serializer
        return self._serializer(classes_of(*schemas_of(graph)))

    def get(self, name: str) -> Served | None:
        """Return the graph of that name, None when this process has not got it."""
        return self._graphs.get(name)

    def wide(self, served: Served) -> Served:
        """Return a graph knowing the classes of all others too, which its tasks may call.

        Where several have one name it knows its own, or none.
        """
        name = served.graph.name
        if name not in self._wide:
            more = of_one_name({cls for classes in self._classes.values() for cls in classes})
            wire = replace(served.wire, serializer=served.wire.serializer.allow(*more))
            self._wide[name] = replace(served, wire=wire)
        return self._wide[name]

    def all(self) -> tuple[Served, ...]:
        """Return every registered graph."""
        return tuple(self._graphs.values())

    def labels(self) -> tuple[str, ...]:
        """Return what this process tells the scripts that it serves."""
        return self._labels

    def _known(self) -> tuple[str, ...]:
        graphs = (graph for served in self.all() for graph in (served.graph, *served.inner))
        return tuple(dict.fromkeys(map(label_of, graphs)))

    def queues(self) -> tuple[str, ...]:
        """Return the queues that the tasks of all graphs go to."""
        return tuple(dict.fromkeys(queue for served in self.all() for queue in served.queues))

    def common_wire(self) -> Wire:
        """Return an encoder for threads of any graph, also of those that are not known here.

        Of classes that have one name in different graphs it knows none: once a thread's graph is
        known, ``of`` it is to be taken.
        """
        if self._common is None:
            self._common = self._for_all()
        return self._common

    def _for_all(self) -> Wire:
        schemas = (schema for served in self.all() for schema in schemas_of(served.graph))
        common = self._serializer(of_one_name(classes_of(*schemas)))
        return Wire(common, graphs={name: served.wire for name, served in self._graphs.items()})

    def _serializer(self, known: Iterable[type]) -> JsonPlusSerializer:
        allowed = dict.fromkeys((*self._types, *known))
        return JsonPlusSerializer(allowed=tuple(allowed), max_bytes=self._max_bytes)


def _is_interactive() -> bool:
    """Whether this is a prompt or a notebook, by what Python and IPython set for programs to ask.

    Nobody sees there which of two graphs of one name was meant, but the last one is what was typed.
    """
    return hasattr(sys, "ps1")
