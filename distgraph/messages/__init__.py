"""Messages of a conversation, for programs without langchain-core; see ``add_messages``."""

from __future__ import annotations

from distgraph.messages.plain import (
    AIMessage,
    BaseMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

__all__ = [
    "AIMessage",
    "BaseMessage",
    "FunctionMessage",
    "HumanMessage",
    "RemoveMessage",
    "SystemMessage",
    "ToolMessage",
]
