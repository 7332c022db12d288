"""What langchain-core is told of the nodes that run, and what it tells: the tokens of its models.

Imported by who has seen that its runnables are there already; the models of a node find what is set
here by its context variable, as inside LangGraph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.outputs import ChatGeneration
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers._streaming import _StreamingCallbackHandler

from distgraph._message import ToolTold

NOSTREAM = "nostream"


class Tokens(BaseCallbackHandler, _StreamingCallbackHandler[Any]):
    """Hears the chat models that are called in one attempt; a model that is heard streams.

    ``speak`` takes a message, what stands with it, and whether it is whole.
    """

    run_inline = True

    def __init__(self, speak: Callable[[Any, Mapping[str, Any], bool], None]) -> None:
        self._speak = speak
        self._about: dict[UUID, dict[str, Any]] = {}

    def tap_output_aiter(self, run_id: UUID, output: Any) -> Any:
        """Return ``output``: only models are heard."""
        del run_id
        return output

    def tap_output_iter(self, run_id: UUID, output: Any) -> Any:
        """Return ``output``: only models are heard."""
        del run_id
        return output

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Take note of a call, unless it is not to be streamed."""
        del serialized, messages, more
        if NOSTREAM in (tags or ()):
            return
        shown = [tag for tag in tags or () if not tag.startswith("seq:step")]
        self._about[run_id] = {**(metadata or {}), **({"tags": shown} if shown else {})}

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **more: Any) -> None:
        """Stream a piece of a message."""
        del token, more
        about = self._about.get(run_id)
        if about is not None and isinstance(chunk, ChatGeneration):
            self._tell(chunk.message, about, whole=False)

    def on_llm_end(self, response: Any, *, run_id: UUID, **more: Any) -> None:
        """Stream a message of which no piece was."""
        del more
        about = self._about.pop(run_id, None)
        made = response.generations[0][0] if response.generations else None
        if about is not None and isinstance(made, ChatGeneration):
            self._tell(made.message, about, whole=True)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        """Forget a call that has failed."""
        del error, more
        self._about.pop(run_id, None)

    def _tell(self, message: Any, about: Mapping[str, Any], *, whole: bool) -> None:
        if message.id is None:
            message.id = str(uuid4())
        self._speak(message, about, whole)


class ToolCalls(BaseCallbackHandler):
    """Hears the tools that are called in one attempt; the chunks are LangGraph's."""

    run_inline = True

    def __init__(self, speak: Callable[[Any, Mapping[str, Any], bool], None]) -> None:
        self._speak = speak
        self._calls: dict[UUID, str] = {}

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        inputs: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Tell that a call begins, unless it is not to be streamed."""
        del input_str
        if NOSTREAM in (tags or ()):
            return
        call = self._calls[run_id] = more.get("tool_call_id") or str(run_id)
        name = (serialized or {}).get("name") or more.get("name") or ""
        given = {} if inputs is None else {"input": inputs}
        self._tell("tool-started", call, tool_name=name, **given)

    def on_tool_end(self, output: Any, *, run_id: UUID, **more: Any) -> None:
        """Tell what a tool returned."""
        del more
        if (call := self._calls.pop(run_id, None)) is not None:
            self._tell("tool-finished", call, output=output)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        """Tell what a tool raised; one that asks raises nothing that langchain-core tells of."""
        del more
        if (call := self._calls.pop(run_id, None)) is not None:
            self._tell("tool-error", call, message=str(error))

    def _tell(self, event: str, call: str, **more: Any) -> None:
        self._speak(ToolTold({"event": event, "tool_call_id": call, **more}), {}, True)


class NodeWatch:
    """Watches one attempt at a task: for callbacks a run of a chain, with models in its context."""

    def __init__(self, speak: Callable[[Any, Mapping[str, Any], bool], None] | None) -> None:
        self._speak = speak
        self._run: Any = None
        self._config: Any = None

    def began(self, config: Mapping[str, Any], name: str, given: Any) -> Any:
        """Return the callbacks for what the node calls; it begins with ``given``."""
        manager = manager_of(config)
        if manager.handlers:
            manager.tags = [_tag(config["metadata"]), *manager.tags]
            self._run = manager.on_chain_start(None, given, name=name)
            manager = self._run.get_child()
        if self._speak is not None:
            manager.add_handler(Tokens(self._speak), inherit=True)
            manager.add_handler(ToolCalls(self._speak), inherit=True)
        self._config = {**config, "callbacks": manager}
        return manager

    def ended(self, output: Any) -> None:
        """Tell what the node returned."""
        if self._run is not None:
            for handler in self._run.handlers:
                if isinstance(handler, _StreamingCallbackHandler):
                    _show(handler, self._run.run_id, output)
            self._run.on_chain_end(output)
            self._run = None

    def failed(self, error: BaseException) -> None:
        """Tell what the node raised."""
        if self._run is not None:
            self._run.on_chain_error(error)
            self._run = None

    def enters(self) -> None:
        """Have the models that are called in this context find the config."""
        var_child_runnable_config.set(self._config)


def _tag(metadata: Mapping[str, Any]) -> str:
    """Return the tag of a node, or of a function that a task calls."""
    called = (metadata.get("langgraph_path") or (False,))[-1] is True
    return "seq:step:1" if called else f"graph:step:{metadata.get('langgraph_step')}"


def _show(handler: _StreamingCallbackHandler[Any], run_id: UUID, output: Any) -> None:
    """Have ``handler`` hear what a node returned as the only chunk of its run."""
    for _ in handler.tap_output_iter(run_id, iter((output,))):
        pass


def manager_of(config: Mapping[str, Any]) -> CallbackManager:
    """Return the callbacks of ``config``, without those that hear another attempt."""
    found = CallbackManager.configure(
        inheritable_callbacks=config.get("callbacks"),
        inheritable_tags=list(config.get("tags") or ()),
        inheritable_metadata=dict(config.get("metadata") or {}),
    )
    found.set_handlers(
        [each for each in found.handlers if not isinstance(each, Tokens | ToolCalls)]
    )
    return found


def begun(config: Mapping[str, Any], name: str, given: Any) -> Any:
    """Return the run of a graph that its callbacks are told of; None where nobody listens."""
    manager = manager_of(config)
    if not manager.handlers:
        return None
    run_id = config.get("run_id")
    named = config.get("run_name") or name
    return manager.on_chain_start(None, given, name=named, run_id=run_id)
