"""Events of all that a run does: of its nodes, and of the models and tools that they call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from distgraph._checked import checked
from distgraph.messages.langchain import NEEDED

EventsVersion = Literal["v1", "v2", "v3"]
_INSTEAD = (
    "stream() and astream() show the same by their modes: stream_mode=['messages', 'updates', "
    "'custom'], subgraphs=True, version='v2'."
)
NO_V3 = f"{{}}(version='v3') is not built. {_INSTEAD}"
NO_SYNC = "stream_events(version={!r}) is not supported: use astream_events() for v1 and v2."
NOT_HERE = (
    "astream_events() tells of what runs in this process, and the nodes of graph '{}' run on "
    f"workers. {_INSTEAD}"
)


@checked
class Evented:
    """A graph that tells of its runs by events."""

    backend: Any
    config: Mapping[str, Any]
    name: Any

    def astream_events(
        self,
        input: Any,  # noqa: A002 LangGraph's name
        config: Mapping[str, Any] | None = None,
        *,
        version: EventsVersion = "v2",
        **options: Any,
    ) -> AsyncIterator[Any]:
        """Run the graph and yield langchain-core's events of all that happens in it, as dicts.

        ``version``: which form they have. ``options`` are ``include_names`` and the other filters
        of langchain-core, and what ``astream`` takes. A path function has no events of its own.

        Raises ImportError without langchain-core, NotImplementedError for version "v3" and for a
        graph on a backend, and what ``invoke`` raises.
        """
        if version == "v3":
            raise NotImplementedError(NO_V3.format("astream_events"))
        if hasattr(self.backend, "submit"):
            raise NotImplementedError(NOT_HERE.format(self.name))
        try:
            from distgraph.messages.eventing import LIMIT, GraphRunnable  # noqa: PLC0415 optional
        except ModuleNotFoundError as error:
            raise ImportError(NEEDED) from error
        named = {**self.config, **(config or {})}
        runnable = GraphRunnable(self, limited=LIMIT in named)
        return runnable.astream_events(input, _plain(config), version=version, **options)

    def stream_events(
        self,
        input: Any,  # noqa: A002 LangGraph's name
        config: Mapping[str, Any] | None = None,
        *,
        version: EventsVersion = "v2",
        **options: Any,
    ) -> Any:
        """Raise NotImplementedError: there are events on an event loop alone."""
        del input, config, options
        told = NO_V3.format("stream_events") if version == "v3" else NO_SYNC.format(version)
        raise NotImplementedError(told)


def _plain(config: Mapping[str, Any] | None) -> Any:
    return None if config is None else dict(config)
