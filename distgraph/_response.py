"""What the answer to a question has to be, and what stands for that in the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from distgraph._brief import brief

INVALID = "_distgraph_invalid_resume"
"""Marks what an answer was refused with."""


@dataclass(frozen=True, slots=True)
class Response:
    """The ``schema`` of answers as JSON has it, and what makes an answer of what was sent.

    ``adapter`` is pydantic's; None where a JSON schema was given, by which nothing is checked.
    """

    schema: dict[str, Any]
    adapter: Any = None

    def read(self, given: Any) -> Any:
        """Return what interrupt() returns for ``given``; pydantic's ValidationError, marked."""
        if self.adapter is None:
            return given
        try:
            return self.adapter.validate_python(given)
        except ValueError as error:
            setattr(error, INVALID, True)
            raise


def read_response(given: Any) -> Response | None:
    """Return what an interrupt() is told of its answer; TypeError for what is no schema."""
    if given is None:
        return None
    if isinstance(given, dict):
        return Response(given)
    # Imported here: most programs ask without a schema, and pydantic takes long to import.
    from pydantic import TypeAdapter  # noqa: PLC0415
    from pydantic.errors import PydanticUserError  # noqa: PLC0415

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(given)
        return Response(adapter.json_schema(), adapter)
    except PydanticUserError as error:
        msg = (
            "response_schema= of interrupt() is a JSON schema as a dict, or a pydantic model, a "
            f"TypedDict or a dataclass, not {brief(given)}."
        )
        raise TypeError(msg) from error
