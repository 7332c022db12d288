"""The texts in a value by which it is found: what stands at a path of names.

``a.b`` a field of a field, ``a[0]`` an item of a list (``[-1]`` the last), ``a[*]`` each of them;
``a.*`` all that is in ``a``, ``{a,b.c}`` several paths at once, and ``$`` the whole value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_STEP = re.compile(r"\[[^\]]*\]|\{[^}]*\}|[^.\[\]{}]+")


def texts_at(value: Any, path: str) -> list[str]:
    """Return the texts at ``path``; numbers as text, and dicts and lists as JSON, are some too."""
    steps = [] if path == "$" else _STEP.findall(path)
    return [_text(found) for found in _at(value, steps) if found is not None]


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    for found in _inside(value, steps[0]):
        yield from _at(found, steps[1:])


def _inside(value: Any, step: str) -> Iterator[Any]:
    if step.startswith("{"):
        for path in step[1:-1].split(","):
            yield from _at(value, _STEP.findall(path.strip()))
    elif step == "*":
        yield from value.values() if isinstance(value, Mapping) else _items(value)
    elif step.startswith("["):
        yield from _numbered(_items(value), step[1:-1])
    elif isinstance(value, Mapping) and step in value:
        yield value[step]


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _numbered(items: list[Any], number: str) -> list[Any]:
    if number == "*":
        return items
    at = int(number) if re.fullmatch(r"-?\d+", number) else len(items)
    return [items[at]] if -len(items) <= at < len(items) else []


def _text(found: Any) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, Mapping | list | tuple):
        return json.dumps(found, sort_keys=True, ensure_ascii=False, default=str)
    return str(found)
