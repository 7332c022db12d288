"""The traceback of an exception as text; of a simple one quickly, for failures by the thousand."""

from __future__ import annotations

import linecache
import traceback
from functools import lru_cache

KNOWN = 1_024
"""So many places in code are remembered as text."""


def trace(raised: BaseException) -> str:
    """Return what Python shows of an exception; of a simple one without the marks under lines."""
    places = tuple(
        _place(frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(raised.__traceback__)
    )
    others = raised.__cause__ or raised.__context__ or isinstance(raised, BaseExceptionGroup)
    # Calls that repeat themselves are shown by their number.
    if others or len(set(places)) < len(places) or not places:
        return "".join(traceback.format_exception(raised))
    last = traceback.format_exception_only(raised)
    return "".join(("Traceback (most recent call last):\n", *places, *last))


@lru_cache(maxsize=KNOWN)
def _place(file: str, line: int, name: str) -> str:
    text = linecache.getline(file, line).strip()
    shown = f"    {text}\n" if text else ""
    return f'  File "{file}", line {line}, in {name}\n{shown}'
