"""The form of questions and answers that inboxes of agents show: what an interrupt() asks then."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict


class HumanInterruptConfig(TypedDict):
    """What a person may do about an action."""

    allow_ignore: bool
    allow_respond: bool
    allow_edit: bool
    allow_accept: bool


class ActionRequest(TypedDict):
    """What is to be done: the name of a tool, for example, and its arguments."""

    action: str
    args: dict[str, Any]


class HumanInterrupt(TypedDict):
    """A question about an action; ``description`` is shown with it, as markdown."""

    action_request: ActionRequest
    config: HumanInterruptConfig
    description: str | None


class HumanResponse(TypedDict):
    """An answer: ``args`` is a text for "response", and for "edit" the action to be done."""

    type: Literal["accept", "ignore", "response", "edit"]
    args: str | ActionRequest | None
