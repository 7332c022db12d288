"""A graph among langchain-core's Runnables: in a sequence, in a tool, tried again as a whole.

langchain-core is asked only where it is loaded already, or where somebody calls one of these.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from distgraph._checked import checked
from distgraph.messages.langchain import NEEDED

_LOADED = "langchain_core.runnables.base"


@checked
class Piped:
    """A graph that may stand wherever langchain-core takes a Runnable.

    Each method is the one of that name of langchain-core's Runnable, and raises ImportError where
    that is not installed.
    """

    name: Any

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the graph's name, or ``name``, with ``suffix`` behind it as its case wants it."""
        named = str(name or self.name)
        if not suffix:
            return named
        return named + (suffix.title() if named[0].isupper() else f"_{suffix.lower()}")

    def __or__(self, other: Any) -> Any:
        """Return the sequence of this graph and ``other``, a Runnable, a function or a dict."""
        return _runnable().__or__(self, other)

    def __ror__(self, other: Any) -> Any:
        """Return the sequence of ``other`` and this graph."""
        return _runnable().__ror__(self, other)

    def pipe(self, *others: Any, name: str | None = None) -> Any:
        """Return the sequence of this graph and ``others``, under ``name``."""
        return _runnable().pipe(self, *others, name=name)

    def map(self) -> Any:
        """Return what calls this graph on each item of a list, and returns the list of results."""
        return _runnable().map(self)

    def bind(self, **options: Any) -> Any:
        """Return this graph as it is called with ``options``, such as ``stream_mode``."""
        return _runnable().bind(self, **options)

    def with_retry(self, **options: Any) -> Any:
        """Return what calls this graph again when a call has failed."""
        return _runnable().with_retry(self, **options)

    def with_fallbacks(self, fallbacks: Any, **options: Any) -> Any:
        """Return what calls ``fallbacks`` one after the other when a call has failed."""
        return _runnable().with_fallbacks(self, fallbacks, **options)

    def as_tool(self, args_schema: Any = None, **options: Any) -> Any:
        """Return a tool that calls this graph; ``name`` and ``description`` are for models."""
        return _runnable().as_tool(self, args_schema, **options)

    def transform(self, input: Any, config: Mapping[str, Any] | None = None, **options: Any) -> Any:  # noqa: A002 its name
        """Stream what the graph does with the sum of the chunks of ``input``, as sequences do."""
        return _runnable().transform(self, input, config, **options)

    def atransform(
        self,
        input: Any,  # noqa: A002 its name
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Do what ``transform`` does."""
        return _runnable().atransform(self, input, config, **options)

    def astream_log(
        self,
        input: Any,  # noqa: A002 its name
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Yield langchain-core's patches of the log of a run."""
        return _runnable().astream_log(self, input, config, **options)


def join_runnables() -> None:
    """Have graphs count as Runnables where langchain-core is loaded."""
    if _LOADED in sys.modules:
        _runnable()


def _runnable() -> Any:
    """Return langchain-core's Runnable, to which graphs are known."""
    try:
        from distgraph.messages.piping import known_as_runnable  # noqa: PLC0415 optional
    except ModuleNotFoundError as error:
        raise ImportError(NEEDED) from error
    return known_as_runnable(Piped)
