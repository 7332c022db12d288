"""Writes what ``layout`` and ``replies`` know into the text of a script, as literals.

    STATUS.busy             'busy'            a name, letter or limit
    TASK.state              1                 the position of a field in a row
    HINT{tid = t, ns = n}   {n, t}            a row: all its fields in any order, none of them nil;
                                              a stored one's form is written by itself
    STORED.header           'id', 'graph',..  the header's fields of a row, those of a frame in it
    STORED.line_words       'pending', ...    what a line of a run has a code for

All of it is valid Lua, costs nothing when a script runs, and an unknown name is a LayoutError.
Comments go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from checkpoint_redis import layout, replies
from distgraph.checkpoint import formats

WORDS = {
    "KEY": "ThreadKey",
    "SHARD_KEY": "ShardKey",
    "HEADER": "HeaderField",
    "FRAME": "FrameField",
    "KIND": "FrameKind",
    "FIELD": "Field",
    "TASK_FIELD": "TaskField",
    "INDEX": "IndexName",
    "KEPT": "KeptKey",
    "KEPT_FIELD": "KeptField",
    "META": "MetaField",
    "STATUS": "ThreadStatus",
    "RUN": "RunStatus",
    "STATE": "TaskState",
    "ADVANCE": "AdvanceState",
    "DUE": "DueKind",
    "TID": "TaskId",
    "IID": "QuestionId",
    "PACKET": "PacketName",
    "GRAPH": "GraphName",
    "SEGMENT": "SegmentName",
    "MARK": "WriteMark",
    "EVENT": "EventKind",
    "EVENT_FIELD": "EventField",
    "END_FIELD": "EndField",
    "LIMIT": "Limit",
    "LINE": "LinePart",
    "ERROR": "Refusal",
    "FOLLOWS": "StepOutcome",
    "MODE": "RunKind",
}
"""Names that scripts use, and what they are called in ``layout``."""

ROWS = {
    "TASK": "TaskRow",
    "QUESTION": "QuestionRow",
    "NEW_TASK": "NewTaskRow",
    "PACKETS": "PacketsRow",
    "CHECKPOINT": "CheckpointRow",
    "NEW_HEAD": "NewHeadRow",
    "OLDER": "OlderRow",
    "ASKED_BEFORE": "AskedBeforeRow",
    "EMITTED": "EmittedRow",
    "FRAME_ROW": "FrameRow",
    "RESULT": "ResultRow",
    "ANSWER": "AnswerRow",
    "AGAIN": "AgainRow",
    "LEASE": "LeaseRow",
    "AWAITED": "AwaitedRow",
    "HINT": "HintRow",
    "DUE_ROW": "DueRow",
    "SWEPT": "SweptReply",
    "LISTED": "ListedRow",
    "CLAIMED": "ClaimedRow",
    "REFUSED": "RefusedRow",
    "HEADER_ROW": "HeaderRow",
    "HEAD_ROW": "HeadRow",
    "FRAME_INFO": "FrameInfoRow",
    "RUN_EVENT": "RunEvent",
    "STEP_EVENT": "StepEvent",
    "TASK_EVENT": "TaskEvent",
    "RETRY_EVENT": "RetryEvent",
    "ASK_EVENT": "AskEvent",
    "FAIL_EVENT": "FailEvent",
    "END_EVENT": "EndEvent",
    "CUSTOM_EVENT": "CustomEvent",
    "CONTEXT": "ContextReply",
    "CLAIM": "ClaimReply",
    "UNSERVED": "UnservedReply",
    "ADVANCE_REPLY": "AdvanceReply",
    "RESULTS": "ResultsReply",
    "STARTED": "StartedReply",
    "ANSWERED": "AnsweredReply",
    "MOVE": "MoveRow",
    "MOVED": "MovedReply",
    "PARKED": "ParkedReply",
    "ADOPTED": "AdoptedReply",
    "REPEATED": "RepeatedReply",
    "RUN_ROW": "RunRow",
    "ANSWERED_BY": "AnsweredByRow",
    "LEFT": "LeftRow",
    "PARTED": "PartedRow",
    "DONE": "DoneRow",
    "SHARED": "SharedRow",
    "SPAN": "SpanRow",
    "RUN_REPLY": "RunReply",
    "RUNS": "RunsReply",
    "LOADED": "LoadReply",
    "OPEN": "OpenReply",
    "ASKED": "AskedReply",
    "PART": "PartReply",
    "PAGE": "PageReply",
}
STORED = {"header": "HeaderRow", "head": "HeadRow", "frame": "FrameInfoRow"}
APART = "about"
"""What has a place in such a row, and does not stand in the header."""

_TOKEN = re.compile(
    r"""(?P<skip>--\[(?P<long>=*)\[.*?\](?P=long)\]|--[^\n]*|\s+)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\[(?P<raw>=*)\[.*?\](?P=raw)\])
    |(?P<name>[A-Za-z_]\w*)
    |(?P<other>\d[\w.]*|\.{1,3}|[=~<>]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_CONSTANT = re.compile(r"[A-Z][A-Z_]+")
_DEPTH = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}

Names = Mapping[str, str]


class LayoutError(Exception):
    """A script uses a name that ``layout`` does not have, or a row without one of its fields."""


class Token(NamedTuple):
    """A piece of Lua: a name, a string, a comment or blanks (skip), or something other."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """Cut Lua into its pieces; nothing is left out."""
    groups = ("skip", "string", "name", "other")
    return [
        Token(kind, found[kind])
        for found in _TOKEN.finditer(text)
        for kind in groups
        if found[kind] is not None
    ]


def fold(text: str) -> str:
    """Return Lua with every constant and row written out, without its comments."""
    return _Folding(vocabulary(), _rows()).fold(tokens(text))


@cache
def vocabulary() -> Mapping[str, Names]:
    """Return what stands for each NAME.name, as Lua."""
    words = {lua: _words(getattr(layout, known)) for lua, known in WORDS.items()}
    places = {
        lua: {field: str(n) for n, field in enumerate(fields, start=1)}
        for lua, fields in _rows().items()
    }
    stored = {name: _stored(getattr(layout, row)._fields) for name, row in STORED.items()}
    stored["line_words"] = ", ".join(map(_quoted, layout.LINE_WORDS))
    replied = {word: _quoted(word) for word in _literals(vars(replies))}
    return {**words, **places, "STORED": stored, "REPLY": replied, "FORMAT": _forms()}


def _forms() -> Names:
    """Return the number of each kind's form, the newest of all, and the release that has them."""
    numbers = {kind.name: str(number) for kind, number in formats.WRITTEN.items()}
    newest, release = str(formats.FORMAT), _quoted(formats.release())
    return {**numbers, "newest": newest, "release": release}


def _rows() -> dict[str, tuple[str, ...]]:
    return {lua: getattr(layout, known)._fields for lua, known in ROWS.items()}


def _words(known: Any) -> Names:
    if get_origin(known) is Literal:
        return {word: _quoted(word) for word in get_args(known)}
    own = {name: value for name, value in vars(known).items() if name[0] != "_"}
    return {
        name: _quoted(value) if isinstance(value, str) else str(value)
        for name, value in own.items()
        if isinstance(value, str | int)
    }


def _stored(fields: tuple[str, ...]) -> str:
    return ", ".join(_quoted("") if field == APART else _header_field(field) for field in fields)


def _header_field(field: str) -> str:
    if known := vars(layout.HeaderField).get(field):
        return _quoted(known)
    if known := vars(layout.FrameField).get(field):
        return _quoted(known)
    raise LayoutError(f"neither the header nor a frame in it has a field {field!r}")


def _literals(known: Mapping[str, Any]) -> Iterator[str]:
    """Find the words of every Literal among some types, and in the fields of their classes."""
    for each in known.values():
        if get_origin(each) is Literal:
            yield from get_args(each)
        elif is_dataclass(each):
            yield from _literals(get_type_hints(each))


def _quoted(word: str) -> str:
    return f"'{word}'"


@dataclass(frozen=True, slots=True)
class _Folding:
    words: Mapping[str, Names]
    rows: Mapping[str, tuple[str, ...]]

    def fold(self, given: Sequence[Token]) -> str:
        out, i = [], 0
        while i < len(given):
            token, then = given[i], given[i + 1].text if i + 1 < len(given) else ""
            if (
                token.kind != "name"
                or then not in (".", "{")
                or not _CONSTANT.fullmatch(token.text)
            ):
                out.append("" if _is_comment(token) else token.text)
                i += 1
            elif then == ".":
                out.append(self.word(token.text, given[i + 2].text))
                i += 3
            else:
                end = _closing(given, i + 1)
                out.append(self.row(token.text, given[i + 2 : end]))
                i = end + 1
        return "".join(out)

    def word(self, name: str, field: str) -> str:
        try:
            return self.words[name][field]
        except KeyError:
            raise LayoutError(f"there is no {name}.{field}") from None

    def row(self, name: str, inner: Sequence[Token]) -> str:
        given = dict(_own(name)) | dict(self.field(name, part) for part in _parts(inner))
        if name not in self.rows or given.keys() != set(self.rows[name]):
            raise LayoutError(f"{name} has the fields {self.rows.get(name)}, not {tuple(given)}")
        values = [given[field] for field in self.rows[name]]
        # A call gives one value wherever it stands.
        return "{" + ", ".join([*values[:-1], f"({values[-1]})"]) + "}"

    def field(self, name: str, part: Sequence[Token]) -> tuple[str, str]:
        seen = [token for token in part if token.kind != "skip"]
        if len(seen) < 3 or seen[1].text != "=":  # noqa: PLR2004 - name = value
            raise LayoutError(
                f"{name}{{...}} takes name = value, not {''.join(t.text for t in part)}"
            )
        start = next(i for i, token in enumerate(part) if token.text == "=") + 1
        return seen[0].text, self.fold(part[start:]).strip()


def _own(name: str) -> Names:
    """Return what nobody has to name in a row: which form it is of, where it is a record."""
    kind = layout.KINDS.get(ROWS.get(name, ""))
    return {"format": str(formats.WRITTEN[kind])} if kind else {}


def _is_comment(token: Token) -> bool:
    return token.kind == "skip" and token.text.startswith("--")


def _closing(given: Sequence[Token], start: int) -> int:
    """Return where the bracket at ``start`` is closed."""
    depth = 0
    for i in range(start, len(given)):
        depth += _DEPTH.get(given[i].text, 0)
        if depth == 0:
            return i
    raise LayoutError(f"a bracket is not closed: {''.join(t.text for t in given[start:])[:60]}")


def _parts(inner: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Cut what stands in brackets at its commas."""
    depth = start = 0
    for i, token in enumerate(inner):
        depth += _DEPTH.get(token.text, 0)
        if depth == 0 and token.text == ",":
            yield inner[start:i]
            start = i + 1
    if any(token.kind != "skip" for token in inner[start:]):
        yield inner[start:]
