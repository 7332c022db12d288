"""Nodes and agents that call tools, over anything that has ``bind_tools`` and ``invoke``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in
from distgraph.prebuilt.chat_agent_executor import create_react_agent
from distgraph.prebuilt.injected import InjectedState, InjectedStore, ToolRuntime
from distgraph.prebuilt.tool_node import ToolNode, tools_condition
from distgraph.prebuilt.tool_validator import ValidationNode

__all__ = [
    "InjectedState",
    "InjectedStore",
    "ToolNode",
    "ToolRuntime",
    "ValidationNode",
    "create_react_agent",
    "tools_condition",
]

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
