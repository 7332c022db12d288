"""A picture in Mermaid's language, which GitHub, JupyterLab and many others show.

The text is LangGraph's where names and labels are plain words, and well-formed in any case.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from distgraph.drawing.boxes import Box, boxed
from distgraph.drawing.naming import KEYWORDS, id_of, lines_of, shown
from distgraph.drawing.parts import SEPARATOR, DrawnEdge, DrawnNode

_SPECIAL = re.compile(r"(?<![^\W_])[_.-]|[_.-](?![^\W_])|[^\w .-]")
"""What could end a label, or be read as HTML or Markdown in it."""
_WORDS = re.compile(r"\w+")
_ID = re.compile(r"[A-Za-z0-9_](?:-?[A-Za-z0-9_ .:/&()'\"<>*+=@#$%!?,;|{}~^\[\]])*")
_SURROUNDED = re.compile(r"__[^\W_]+__")
_FRONT = ("---", "config:", "  flowchart:")
_TOP = "graph TD;"
_STYLES = (
    "\tclassDef default fill:#f2f0ff,line-height:1.2",
    "\tclassDef first fill-opacity:0",
    "\tclassDef last fill:#bfb6fc",
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a flowchart is written.

    ``styled``: with the nodes, their colours, and ``curve``, else the edges alone. A label has a
    line break after each ``wrap`` words.
    """

    styled: bool = True
    curve: str = "linear"
    wrap: int = 9


def mermaid_of(
    nodes: Collection[DrawnNode], edges: Sequence[DrawnEdge], look: Look | None = None
) -> str:
    """Return the flowchart: whatever names and labels hold, it is well-formed."""
    look = look or Look()
    classes = _classes(nodes, edges)
    body = _inside(boxed(nodes), edges, classes, look)
    if not look.styled:
        return "\n".join((_TOP, *body)) + "\n"
    front = (*_FRONT, f"    curve: {look.curve}", "---", _TOP)
    return "\n".join((*front, *body, *_STYLES)) + "\n"


def escaped(text: str) -> str:
    """Return ``text`` for a quoted label; all but letters, digits and spaces may be its code."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)


def written_id(name: str) -> str:
    """Return the id of a node: different names have different ids, and none is a keyword."""
    first = _WORDS.match(name)
    words = {*name.lower().split("-"), first[0] if first else ""}
    if not _ID.fullmatch(name) or name.startswith("id_") or words & KEYWORDS:
        return id_of(name)
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"\\{ord(found[0]):x}", name)


def _is_plain(text: str) -> bool:
    """Whether a text is written as it is: words, none of which means something to Mermaid."""
    words = {word.lower() for word in _WORDS.findall(text)}
    return _is_wordy(text) and "end" not in words


def _is_wordy(text: str) -> bool:
    """Whether a text is words alone, which between others may be any."""
    return text.strip() == text != "" and not _SPECIAL.search(text)


def _classes(nodes: Collection[DrawnNode], edges: Sequence[DrawnEdge]) -> Mapping[str, str]:
    """Return what the only node is called that nothing leads to, and the only one that ends."""
    found: dict[str, str] = {}
    for what, ends in (
        ("first", {edge.target for edge in edges if edge.source != edge.target}),
        ("last", {edge.source for edge in edges if edge.source != edge.target}),
    ):
        alone = [node.id for node in nodes if node.id not in ends]
        if len(alone) == 1:
            found.setdefault(alone[0], what)
    return found


def _inside(
    box: Box, edges: Sequence[DrawnEdge], classes: Mapping[str, str], look: Look
) -> Iterator[str]:
    if look.styled:
        yield from (f"\t{_node(node, classes.get(node.id, ''))}" for node in box.nodes)
    own = [edge for edge in edges if _around(edge) == box.path]
    own.sort(key=lambda edge: edge.source == edge.target)  # loops last, where LangGraph has them
    yield from (f"\t{_edge(edge, look.wrap)}" for edge in own)
    for inner in box.inner:
        name = shown(inner.name)
        title = name if _is_plain(name) else f'{id_of(inner.path)}["{escaped(name)}"]'
        yield f"\tsubgraph {title}"
        yield from _inside(inner, edges, classes, look)
        yield "\tend"


def _around(edge: DrawnEdge) -> str:
    """Return the path of the innermost box that both ends of an edge are in."""
    source, target = (end.split(SEPARATOR)[:-1] for end in (edge.source, edge.target))
    shared = 0
    while shared < min(len(source), len(target)) and source[shared] == target[shared]:
        shared += 1
    return SEPARATOR.join(source[:shared])


def _node(node: DrawnNode, what: str) -> str:
    left, right = ("([", f"]):::{what}") if what else ("(", ")")
    name, *told = lines_of(node)
    if _SURROUNDED.fullmatch(name):
        text = f"<p>{name}</p>"
    else:
        text = name if _is_plain(name) else f'"{escaped(name)}"'
    if told:
        plain = (_is_plain(name) or _SURROUNDED.fullmatch(name)) and all(map(_is_entry, told))
        if plain:
            text += "<hr/><small><em>" + "\n".join(told) + "</em></small>"
        else:
            text = '"' + "<br/>".join(map(escaped, (name, *told))) + '"'
    return f"{written_id(node.id)}{left}{text}{right}"


def _is_entry(line: str) -> bool:
    key, _, value = line.partition(" = ")
    listed = value.replace(", ", " ")
    return _is_wordy(key.lstrip("_")) and _is_wordy(listed)


def _edge(edge: DrawnEdge, wrap: int) -> str:
    source, target = written_id(edge.source), written_id(edge.target)
    if edge.data is None:
        return f"{source} {'-.->' if edge.conditional else '-->'} {target};"
    text = shown(edge.data)
    words = text.split() if _is_wordy(text) else []
    if words:
        lines = (" ".join(words[at : at + wrap]) for at in range(0, len(words), wrap))
        label = "&nbsp;" + "&nbsp<br>&nbsp".join(lines) + "&nbsp;"
    else:
        label = f'"{escaped(text)}"'
    left, right = ("-.", ".->") if edge.conditional else ("--", "-->")
    return f"{source} {left} {label} {right} {target};"
