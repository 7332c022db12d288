"""The states of an agent: its messages, and what else it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

from pydantic import BaseModel, create_model
from typing_extensions import TypedDict, get_type_hints

from distgraph import messages
from distgraph.graph.message import add_messages
from distgraph.managed import RemainingSteps
from distgraph.messages import langchain

if TYPE_CHECKING:
    Message = Any
else:
    Message = langchain.base() or messages.BaseMessage


class AgentState(TypedDict):
    """What an agent keeps by default: the conversation."""

    messages: Annotated[Sequence[Message], add_messages]
    remaining_steps: NotRequired[RemainingSteps]


class AgentStatePydantic(BaseModel):
    """The same as a pydantic model."""

    messages: Annotated[Sequence[Message], add_messages]
    remaining_steps: RemainingSteps = 25


class AgentStateWithStructuredResponse(AgentState):
    """What an agent keeps whose last word has a ``response_format``."""

    structured_response: Any


class AgentStateWithStructuredResponsePydantic(AgentStatePydantic):
    """The same as a pydantic model."""

    structured_response: Any


def with_model_input(state: Any) -> Any:
    """Return a schema with ``llm_input_messages``: what the model sees in place of the messages."""
    if isinstance(state, type) and issubclass(state, BaseModel):
        return create_model(
            "ModelInput", __base__=state, llm_input_messages=(list[Any] | None, None)
        )
    hints = get_type_hints(state, include_extras=True)
    return TypedDict("ModelInput", {**hints, "llm_input_messages": list[Any]})  # type: ignore[operator]  # its keys are known now


def check_state(schema: Any, *, responds: bool) -> None:
    """Raise ValueError for a state schema that lacks what an agent needs."""
    needed = {"messages", "remaining_steps", *(("structured_response",) if responds else ())}
    if missing := sorted(needed - get_type_hints(schema).keys()):
        named = ", ".join(f"'{key}'" for key in missing)
        raise ValueError(f"The state_schema of an agent lacks {named}, which an agent needs.")
