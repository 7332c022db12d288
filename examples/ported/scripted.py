"""A chat model of langchain-core without a network: what it says depends on what it is told alone.

So any process may ask it, in any order and again, and gets the same answer: what a worker needs of
a stand-in. Swap it for a real chat model, and the programs beside it stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

Script = Callable[[list[BaseMessage]], AIMessage]


class ScriptedModel(BaseChatModel):
    """Answers what ``script`` returns for the messages; streams it word by word."""

    script: Script

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **more: Any) -> Runnable[Any, AIMessage]:
        """Return the model with tools, of which its script knows already."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **more)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **more: Any,
    ) -> ChatResult:
        del stop, run_manager, more
        said = self.script(messages)
        return ChatResult(generations=[ChatGeneration(message=said)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **more: Any,
    ) -> Iterator[ChatGenerationChunk]:
        del stop, run_manager, more
        said = self.script(messages)
        if said.tool_calls:
            chunk = AIMessageChunk(content=said.text, tool_calls=said.tool_calls)
            yield ChatGenerationChunk(message=chunk)
            return
        for word in re.findall(r"\S+\s*", said.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))


def in_turn(*replies: str | AIMessage) -> ScriptedModel:
    """Return a model that gives these replies one after the other, the last one from then on.

    Which one is due it sees by how often it has spoken in the messages that it is given.
    """

    def script(messages: list[BaseMessage]) -> AIMessage:
        spoken = sum(message.type == "ai" for message in messages)
        due = replies[min(spoken, len(replies) - 1)]
        return AIMessage(due) if isinstance(due, str) else due.model_copy()

    return ScriptedModel(script=script)


def calling(*calls: tuple[str, dict[str, Any]]) -> AIMessage:
    """Return the reply that asks for tools, each by its name and arguments; they make its id."""
    asked = [
        {"name": name, "args": args, "id": "-".join(map(str, (name, *args.values())))}
        for name, args in calls
    ]
    return AIMessage("", tool_calls=asked)
