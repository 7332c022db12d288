"""Models of langchain-core that nodes call, token by token."""

from __future__ import annotations

import re
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from tests.parity.engines import Client, Engine
from tests.parity.observe import thread

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}(-0)?")
_OTHER = ("ls_integration", "lc_versions")
"""What stands with messages and names the library that makes them."""


def _model(text: str, **options: Any) -> Any:
    return GenericFakeChatModel(messages=iter([AIMessage(content=text)] * 9), **options)


def _saying(text: str, **options: Any) -> Any:
    def node(state: Any) -> Any:
        return {"messages": [_model(text, **options).invoke(state["messages"])]}

    return node


def _saying_by_config(text: str) -> Any:
    def node(state: Any, config: RunnableConfig) -> Any:
        return {"messages": [_model(text).invoke(state["messages"], config)]}

    return node


def _saying_beside(text: str) -> Any:
    def node(state: Any) -> Any:
        _model(text).invoke("what?")
        return {"messages": [AIMessage(content="own", id="own")]}

    return node


def _graph(engine: Engine, *nodes: Any) -> Any:
    builder = engine.StateGraph(engine.MessagesState)
    previous = engine.START
    for number, node in enumerate(nodes):
        builder.add_node(f"n{number}", node)
        builder.add_edge(previous, f"n{number}")
        previous = f"n{number}"
    return builder


def _told(client: Client, **options: Any) -> list[Any]:
    known: dict[str, str] = {}

    def plain(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        # A model that nobody hears does not stream, and marks its message so.
        return _ID.sub(lambda it: known.setdefault(it[0][:36], f"<{len(known)}>"), text)

    def told(message: Any, about: Any) -> Any:
        shown = {key: plain(item) for key, item in about.items() if key not in _OTHER}
        shown.pop("thread_id", None)  # LangGraph tells it with tokens alone
        whole = type(message).__name__, message.content, plain(message.id)
        return whole, {**shown, "tags": sorted(shown.get("tags", []))}

    given = {"messages": [("user", "hi")]}
    chunks = client.stream(given, thread(), stream_mode="messages", **options)
    if options.get("subgraphs"):
        return [(tuple(map(plain, place)), told(*chunk)) for place, chunk in chunks]
    return [told(*chunk) for chunk in chunks]


def case_tokens_of_a_model(engine: Engine) -> Any:
    return _told(engine.compile(_graph(engine, _saying("hello you"), _saying("and more"))))


def case_tokens_of_a_model_that_is_given_the_config(engine: Engine) -> Any:
    return _told(engine.compile(_graph(engine, _saying_by_config("hello you"))))


def case_a_model_that_is_not_to_be_streamed(engine: Engine) -> Any:
    return _told(engine.compile(_graph(engine, _saying("hello you", tags=["nostream"]))))


def case_tags_of_a_model(engine: Engine) -> Any:
    return _told(engine.compile(_graph(engine, _saying("hello you", tags=["loud"]))))


def case_what_a_model_says_beside_the_result(engine: Engine) -> Any:
    return _told(engine.compile(_graph(engine, _saying_beside("hello you"))))


def case_tokens_of_a_graph_inside(engine: Engine) -> Any:
    inner = _graph(engine, _saying("hello you")).compile()
    around = engine.compile(_graph(engine, inner))
    return _told(around), _told(around, subgraphs=True)


def case_tokens_of_a_graph_that_a_node_calls(engine: Engine) -> Any:
    inner = _graph(engine, _saying("hello you")).compile()
    around = engine.compile(_graph(engine, lambda state: inner.invoke(state)))
    return _told(around), _told(around, subgraphs=True)
