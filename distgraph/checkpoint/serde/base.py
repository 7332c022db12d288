"""The contract between a saver and whatever turns its values into bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from distgraph._elsewhere import missing_in


@runtime_checkable
class SerializerProtocol(Protocol):
    """Turns a value into a format name with bytes, and such a pair back into an equal value."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """The format's name and the bytes of ``obj``."""
        ...

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value that ``dumps_typed`` was given."""
        ...


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
