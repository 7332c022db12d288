"""Which nodes stand in a box of their own: those of a graph inside a node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from distgraph.drawing.parts import SEPARATOR, DrawnNode


@dataclass(frozen=True, slots=True)
class Box:
    """The nodes of one graph, and the boxes in it; ``path`` is empty for the graph around all."""

    path: str
    nodes: tuple[DrawnNode, ...]
    inner: tuple[Box, ...]

    @property
    def name(self) -> str:
        """The name of the node that the box stands for."""
        return self.path.rpartition(SEPARATOR)[2]


def boxed(nodes: Iterable[DrawnNode], path: str = "") -> Box:
    """Return the box of the nodes whose ids begin with ``path``, which all of them do."""
    own, inside = [], dict[str, list[DrawnNode]]()
    for node in nodes:
        first, separator, _ = node.id.removeprefix(path).lstrip(SEPARATOR).partition(SEPARATOR)
        if separator:
            inside.setdefault(first, []).append(node)
        else:
            own.append(node)
    boxes = (boxed(held, _joined(path, name)) for name, held in inside.items())
    return Box(path, tuple(own), tuple(boxes))


def _joined(path: str, name: str) -> str:
    return f"{path}{SEPARATOR}{name}" if path else name
