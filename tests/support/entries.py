"""Entries of a broker's list: as a publisher writes them, and as nobody should."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from collections.abc import Mapping
from typing import Any

from workers.broker.publisher import headers
from workers.shared.hints import NOTHING_FOLLOWS

X, EP = "a" * 24, "0" * 16
DEEP = "[" * 100_000 + "]" * 100_000
HUGE = 10**4_000


def hint(tid: str = "") -> list[Any]:
    """Return the arguments of a hint, of a thread that does not exist."""
    return [1, X, "", EP, [tid or str(uuid.uuid4())]]


def body(content: Any) -> str:
    """Return the body of an entry with that content."""
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.b64encode(text.encode()).decode()


def message(task: str, queue: str) -> dict[str, Any]:
    """Return a message that asks for a job, as it stands in the list."""
    job = str(uuid.uuid4())
    return {
        "body": body([hint(), {}, dict(NOTHING_FOLLOWS)]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers(task, job, X, [job], "graph.node"),
        "properties": {
            "correlation_id": job,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": job,
        },
    }


def changed(given: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a message with the value at ``a.b`` replaced."""
    made = copy.deepcopy(dict(given))
    *outer, last = path.split(".")
    inner = made
    for name in outer:
        inner = inner[name]
    inner[last] = value
    return made


def without(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a message without what stands at ``a.b``."""
    made = changed(given, path, None)
    outer, _, last = path.rpartition(".")
    del (made[outer] if outer else made)[last]
    return made


BAD: Mapping[str, tuple[Any, ...]] = {
    "body": (
        *(None, 5, True, [], {}, "", "?", body("{"), body(DEEP), body("\0"), body("NaN")),
        *(
            body(None),
            body([]),
            body({}),
            body([[], {}]),
            body([[], {}, {}, {}]),
            body([5, {}, {}]),
        ),
        *(body([hint(), [], {}]), body([hint(), {"v": 1}, {}]), body([hint(), {}, 5])),
        *(body([hint(), {}, {"callbacks": [{"task": "x"}]}]), body([hint(), {}, {"other": 1}])),
        *(body([hint("?"), {}, {}]), body([hint()[:4], {}, {}])),
    ),
    "content-type": (None, 5, [], "text/plain", "application/data", "application/x-python", "?"),
    "content-encoding": (5, [], {}, "no-such-codec", "rot13", "binary", "x" * 5_000, "a\0b"),
    "headers": (5, ["task"], "task", True),
    "headers.id": (None, 5, [], {}, "", "a b", "\ud800", "x" * 100_000),
    "headers.task": ([], {}),
    "headers.timelimit": (5, "ab", [5], [1, 2], ["a", "b"], {"a": 1, "b": 2}, [None, HUGE]),
    "headers.eta": (5, HUGE, 1e308, "?", "9999-12-31T23:59:59.999999-23:59", [], {}, True),
    "headers.expires": (5, HUGE, "?", "0001-01-01T00:00:00+23:59", [], {}),
    "headers.retries": ("?", [], HUGE),
    "headers.root_id": (5, [], {}),
    "headers.group": (5, [], {}),
    "headers.shadow": (5, [], {}),
    "headers.compression": (5, [], {}, "zlib", "bzip2", "no-such-method"),
    "properties": (None, 5, [], "properties", {}),
    "properties.delivery_tag": ([], {}),
    "properties.delivery_info": (5, [1], "info", {"exchange": []}, {"routing_key": {}}),
    "properties.body_encoding": (5, [], {}, True, "no-such-codec"),
    "properties.correlation_id": (5, [], {}),
    "properties.reply_to": (5, [], {}),
    "properties.priority": ([], {}, HUGE),
}
"""What must not stand at that place of a message."""

RAW: tuple[str | bytes, ...] = (
    *("", "null", "5", '"text"', "[]", "{}", "true", "{", DEEP, '{"body": null}', "9" * 10_000),
    *('{"a":' * 50_000 + "1" + "}" * 50_000, b"\x00not json", b"\xff", b"\x80\x04K\x01."),
    *('{"__type__": "datetime", "__value__": 5}', '{"__type__": [], "__value__": 5}'),
)
"""What is no message at all."""


def bad(task: str, queue: str) -> dict[str, str | bytes]:
    """Return, by a name for each, the entries that have to be dropped."""
    good = message(task, queue)
    found: dict[str, str | bytes] = {f"raw-{n}": raw for n, raw in enumerate(RAW)}
    for path, values in BAD.items():
        for n, value in enumerate(values):
            found[f"{path}-{n}"] = json.dumps(changed(good, path, value))
    for path in ("body", "content-type", "headers.id", "properties", "properties.delivery_tag"):
        found[f"no-{path}"] = json.dumps(without(good, path))
    deep = json.dumps(changed(good, "headers.eta", "@")).replace('"@"', DEEP)
    return {**found, "deep-header": deep, "keys": json.dumps({"v": {"body": good}})}
