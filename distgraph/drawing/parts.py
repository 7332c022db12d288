"""What a picture is made of. Names are as they were given: who writes them down escapes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

PictureFormat: TypeAlias = Literal["svg", "png"]
SEPARATOR = ":"
"""Between the names of nodes in the id of one that is in a graph inside a node."""


class DrawnNode(NamedTuple):
    """A node: its ``id`` is the path of names to it, its ``name`` the last of them.

    ``data`` is what was given as the node, such as a function or a graph; None where nothing was.
    ``metadata`` is that of ``add_node``, with ``defer`` for a node that waits for all others,
    ``__interrupt``, which is "before", "after" or "before,after", for static breakpoints, and
    ``__tools``, the names of the tools of a ToolNode.
    """

    id: str
    name: str
    data: Any
    metadata: Mapping[str, Any]


class DrawnEdge(NamedTuple):
    """An edge between the ids of two nodes, and its label; a conditional one is taken or not."""

    source: str
    target: str
    data: str | None = None
    conditional: bool = False
