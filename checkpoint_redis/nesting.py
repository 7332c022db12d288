"""Puts each function of a script into the only one that uses it; leaves out what nothing uses.

Redis runs the whole text of a script each time, and so makes each of its functions anew: of a
hundred functions that is a third of what the script costs. A function that stands inside another
one is made only when that one is called. Files are written without a thought of this.

    local function b() end              local function a()
    local function a() b() end    ->      local function b() end
    a()                                   b()
                                        end
                                        a()
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import takewhile

_FUNCTION = re.compile(
    r"^(local function (\w+)\(([^)\n]*)\))(?:[^\S\n]([^\n]*)\bend|\n(.*?)^end)$\n?",
    re.MULTILINE | re.DOTALL,
)
_WORD = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|([A-Za-z_]\w*)""")
_MADE = re.compile(
    r"\blocal (?!function\b)([\w, \n]+?)(?:\s=|$)|\bfor ([\w, ]+) (?:in\b|=)", re.MULTILINE
)
_BLOCKS = frozenset({"function", "if", "for", "while", "do", "repeat"})
_LOOPS = frozenset({"for", "while", "repeat"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A function, or, without a name, what stands between two of them.

    ``given``: what it calls its arguments; ``made``: other names that it gives to something;
    ``names``: all words in it, and whether each stands in a loop.
    """

    name: str
    head: str
    body: str
    given: frozenset[str]
    made: frozenset[str]
    names: Mapping[str, bool]


Path = tuple[str, ...]
"""The functions in which something stands, the outermost first."""


def nested(texts: Iterable[str]) -> str:
    """Return one script out of files without comments, its functions where they are used."""
    pieces = [piece for text in texts for piece in _pieces(text)]
    return _written(pieces, _places(pieces))


@cache
def _pieces(text: str) -> tuple[_Piece, ...]:
    return tuple(_cut(text))


def _cut(text: str) -> Iterator[_Piece]:
    at = 0
    for found in _FUNCTION.finditer(text):
        yield _piece("", "", text[at : found.start()], "")
        head, name, given, line, lines = found.groups()
        yield _piece(name, head, lines if line is None else f"{line}\n", given)
        at = found.end()
    yield _piece("", "", text[at:] + "\n", "")


def _piece(name: str, head: str, body: str, given: str) -> _Piece:
    arguments = frozenset(re.findall(r"\w+", given))
    made = {word for found in _MADE.findall(body) for word in re.findall(r"\w+", str(found))}
    return _Piece(name, head, body, arguments, frozenset(made), _names(body))


def _names(text: str) -> dict[str, bool]:
    """Find the words of Lua outside of strings; a loop's own line belongs to it."""
    names: dict[str, bool] = {}
    open_blocks: list[str] = []
    for word in filter(None, _WORD.findall(text)):
        if word == "do" and open_blocks and open_blocks[-1] in ("for ", "while "):
            open_blocks[-1] = open_blocks[-1].strip()
        elif word in _BLOCKS:
            open_blocks.append(f"{word} " if word in ("for", "while") else word)
        elif word in ("end", "until") and open_blocks:
            open_blocks.pop()
        else:
            in_loop = any(block.strip() in _LOOPS for block in open_blocks)
            names[word] = names.get(word, False) or in_loop
    return names


def _places(pieces: Sequence[_Piece]) -> dict[str, Path]:
    """Find where each function goes that is used: users stand after what they use."""
    of = {piece.name: piece for piece in pieces if piece.name}
    between = [piece for piece in pieces if not piece.name]
    shared = of.keys() | {name for piece in between for name in piece.made}
    repeated = {name for piece in pieces for name, in_loop in piece.names.items() if in_loop}

    def may_hold(outer: str, piece: _Piece) -> bool:
        # What is called in a loop would make it each time, and no argument may hide what it means.
        meant = piece.names.keys() - piece.given - (piece.made - shared)
        return outer not in repeated and not of[outer].given & (meant | {piece.name})

    users: dict[str, list[Path]] = {name: [] for name in of}
    for piece in between:
        _note(users, piece, ())
    places: dict[str, Path] = {}
    for name, piece in reversed(of.items()):
        if users[name]:
            fits = partial(may_hold, piece=piece)
            places[name] = tuple(takewhile(fits, _common(users[name])))
            _note(users, piece, (*places[name], name))
    return places


def _note(users: dict[str, list[Path]], user: _Piece, path: Path) -> None:
    for name in users.keys() & user.names.keys():
        users[name].append(path)


def _common(paths: Sequence[Path]) -> Path:
    both = takewhile(lambda each: len(set(each)) == 1, zip(*paths, strict=False))
    return tuple(each[0] for each in both)


def _written(pieces: Sequence[_Piece], places: Mapping[str, Path]) -> str:
    inside: dict[Path, list[_Piece]] = {}
    for piece in pieces:
        if not piece.name or piece.name in places:
            inside.setdefault(places.get(piece.name, ()), []).append(piece)

    def written(piece: _Piece, path: Path) -> str:
        if not piece.name:
            return piece.body
        return f"{piece.head}\n{text((*path, piece.name))}{piece.body}end\n"

    def text(path: Path) -> str:
        return "".join(written(piece, path) for piece in inside.get(path, ()))

    return text(())
