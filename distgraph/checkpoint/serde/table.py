"""The closed table of what can be stored: this page is the format, and nothing else is read.

A blob is one byte, the format version (1), followed by one msgpack value:

====================================  =========================================================
None, bool, float, str, bytes         msgpack nil, bool, float 64, str, bin
int                                   msgpack int; ext 1 outside of 64 bits
list                                  msgpack array
dict, with keys of any type below     msgpack map, in the dict's own order
====================================  =========================================================

Scalars are ext values; text is UTF-8:

=====  ==================  ====================================================================
code   type                data
=====  ==================  ====================================================================
1      int                 two's complement, big-endian
2      bytearray           its bytes
3      date                ISO 8601
4      timedelta           days, seconds, microseconds: int32, uint32, uint32, big-endian
5      UUID                16 bytes
6      Decimal             its text
7      pathlib path        p PosixPath, w WindowsPath, P PurePosixPath, W PureWindowsPath; text
8      ZoneInfo            its key
9      ipaddress types     a address, n network, i interface, 4 or 6; text
=====  ==================  ====================================================================

What is made of other values is a msgpack array, whose first item is an ext value without data:

=====  ==================  ====================================================================
code   type                following items
=====  ==================  ====================================================================
32     tuple               items
33     set                 items, sorted by their encoded bytes
34     frozenset           items, sorted by their encoded bytes
35     deque               maxlen or nil, items
36     datetime            ISO 8601 without zone, fold, zone or nil
37     time                ISO 8601 without zone, fold, zone or nil
38     timezone            timedelta, optionally a name
39     re.Pattern          pattern, flags
40     Enum                class, member name; for a Flag its value
41     dataclass           class, field name, value, field name, value, ...
42     NamedTuple          class, field name, value, field name, value, ...
43     pydantic model      class, fields, names of the fields that were set, extra, private
44     Send                node, arg, and where it has a timeout: run, idle, refresh_on
45     Interrupt           value, id, and the deadline where it has one
46     Command             graph, update, resume, goto
47     Overwrite           value
48     Expired             fails, default
=====  ==================  ====================================================================

A class is written as ``module:qualname``. It is looked up among the allowed classes alone, and in
the closed list of classes of messages, which are written without their fields that are empty. Types
match exactly. A class that is not allowed and extends str, int, float, bytes, list, dict, tuple,
set or frozenset is written as what it holds, a value of that type; any other is refused.
"""

from __future__ import annotations

import ipaddress
import pathlib
import re
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from distgraph.core.model import Expired
from distgraph.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy

FORMAT_VERSION = 1
ENUM, DATACLASS, NAMEDTUPLE, MODEL = 40, 41, 42, 43
_TIMEDELTA = struct.Struct(">iII")
_PATHS: dict[type, str] = {
    pathlib.PosixPath: "p",
    pathlib.WindowsPath: "w",
    pathlib.PurePosixPath: "P",
    pathlib.PureWindowsPath: "W",
}
_NETWORK: dict[type, str] = {
    ipaddress.IPv4Address: "a4",
    ipaddress.IPv6Address: "a6",
    ipaddress.IPv4Network: "n4",
    ipaddress.IPv6Network: "n6",
    ipaddress.IPv4Interface: "i4",
    ipaddress.IPv6Interface: "i6",
}
_PATH_OF = {letter: cls for cls, letter in _PATHS.items()}
_NETWORK_OF = {letters: cls for cls, letters in _NETWORK.items()}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type that is stored as one ext value."""

    code: int
    types: tuple[type, ...]
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Compound:
    """A type that is stored as an array: its mark, then the values that ``write`` lists."""

    code: int
    type: type
    write: Callable[[Any], list[Any]]
    read: Callable[[list[Any]], Any]


def _write_int(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _read_int(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _write_timedelta(value: timedelta) -> bytes:
    return _TIMEDELTA.pack(value.days, value.seconds, value.microseconds)


def _read_timedelta(data: bytes) -> timedelta:
    return timedelta(*_TIMEDELTA.unpack(data))


def _write_path(value: pathlib.PurePath) -> bytes:
    # A file name that is not UTF-8 reaches Python as lone surrogates.
    return (_PATHS[type(value)] + str(value)).encode("utf-8", "surrogatepass")


def _read_path(data: bytes) -> Any:
    text = data.decode("utf-8", "surrogatepass")
    return _PATH_OF[text[:1]](text[1:])


def _write_zone(value: ZoneInfo) -> bytes:
    if value.key is None:
        raise ValueError("a ZoneInfo made from a file has no key")
    return value.key.encode()


def _read_zone(data: bytes) -> ZoneInfo:
    key = data.decode()
    # ZoneInfo looks a key up as a file and as a resource; keep to what a zone's name can be.
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", key):
        raise ValueError(f"no name of a time zone: {key!r}")
    return ZoneInfo(key)


def _write_network(value: Any) -> bytes:
    return (_NETWORK[type(value)] + str(value)).encode()


def _read_network(data: bytes) -> Any:
    text = data.decode()
    return _NETWORK_OF[text[:2]](text[2:])


def _write_moment(value: datetime | time) -> list[Any]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, value.tzinfo]


def _read_moment(cls: type[datetime | time]) -> Callable[[list[Any]], datetime | time]:
    def read(items: list[Any]) -> datetime | time:
        text, fold, zone = items
        return cls.fromisoformat(text).replace(fold=fold, tzinfo=zone)

    return read


def _write_timezone(value: timezone) -> list[Any]:
    return list(value.__getinitargs__())  # type: ignore[attr-defined]


def _write_pattern(value: re.Pattern[Any]) -> list[Any]:
    return [value.pattern, value.flags]


def _read_pattern(items: list[Any]) -> re.Pattern[Any]:
    pattern, flags = items
    if flags & re.DEBUG:
        raise ValueError("re.DEBUG would print")
    return re.compile(pattern, flags)


def _read_deque(items: list[Any]) -> deque[Any]:
    return deque(items[1:], items[0])


def _write_interrupt(value: Interrupt) -> list[Any]:
    until, expects = value.deadline, value.response_schema
    more = [until, expects] if expects is not None else [until] if until else []
    return [value.value, value.id, *more]


def _write_send(value: Send) -> list[Any]:
    limit = value.timeout
    more = [limit.run_timeout, limit.idle_timeout, limit.refresh_on] if limit else []
    return [value.node, value.arg, *more]


def _read_send(items: list[Any]) -> Send:
    node, arg, *limit = items
    if not limit:
        return Send(node, arg)
    run, idle, refresh_on = limit
    policy = TimeoutPolicy(run_timeout=run, idle_timeout=idle, refresh_on=refresh_on)
    return Send(node, arg, timeout=policy)


def _attributes(*names: str) -> Callable[[Any], list[Any]]:
    return lambda value: [getattr(value, name) for name in names]


def _keywords(cls: type, *names: str) -> Callable[[list[Any]], Any]:
    return lambda items: cls(**dict(zip(names, items, strict=True)))


def _ours(code: int, cls: type, *names: str) -> Compound:
    return Compound(code, cls, _attributes(*names), _keywords(cls, *names))


SCALARS: tuple[Scalar, ...] = (
    Scalar(1, (int,), _write_int, _read_int),
    Scalar(2, (bytearray,), bytes, bytearray),
    Scalar(3, (date,), lambda d: d.isoformat().encode(), lambda b: date.fromisoformat(b.decode())),
    Scalar(4, (timedelta,), _write_timedelta, _read_timedelta),
    Scalar(5, (UUID,), lambda u: u.bytes, lambda b: UUID(bytes=b)),
    Scalar(6, (Decimal,), lambda d: str(d).encode(), lambda b: Decimal(b.decode())),
    Scalar(7, tuple(_PATHS), _write_path, _read_path),
    Scalar(8, (ZoneInfo,), _write_zone, _read_zone),
    Scalar(9, tuple(_NETWORK), _write_network, _read_network),
)
COMPOUNDS: tuple[Compound, ...] = (
    Compound(32, tuple, list, tuple),
    Compound(33, set, list, set),
    Compound(34, frozenset, list, frozenset),
    Compound(35, deque, lambda d: [d.maxlen, *d], _read_deque),
    Compound(36, datetime, _write_moment, _read_moment(datetime)),
    Compound(37, time, _write_moment, _read_moment(time)),
    Compound(38, timezone, _write_timezone, lambda items: timezone(*items)),
    Compound(39, re.Pattern, _write_pattern, _read_pattern),
    Compound(44, Send, _write_send, _read_send),
    Compound(45, Interrupt, _write_interrupt, lambda items: Interrupt(*items)),
    _ours(46, Command, "graph", "update", "resume", "goto"),
    _ours(47, Overwrite, "value"),
    _ours(48, Expired, "fails", "default"),
)
SCALAR_OF_TYPE = {cls: row for row in SCALARS for cls in row.types}
SCALAR_OF_CODE = {row.code: row for row in SCALARS}
COMPOUND_OF_TYPE = {row.type: row for row in COMPOUNDS}
COMPOUND_OF_CODE = {row.code: row for row in COMPOUNDS}
