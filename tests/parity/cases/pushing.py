"""Messages that a node pushes while it runs."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from tests.parity.cases.messages import texts
from tests.parity.engines import Client, Engine
from tests.parity.observe import outcome, thread

GIVEN = {"messages": [("user", "hi")]}


def _graph(engine: Engine, node: Any) -> Any:
    return engine.StateGraph(engine.MessagesState).add_node("n", node).add_edge(engine.START, "n")


def _shown(client: Client, **options: Any) -> Any:
    """Messages as they are streamed, with where they come from, and what is kept of them."""

    def told(message: Any, about: Any) -> Any:
        kept = {key: about[key] for key in ("langgraph_node", "langgraph_step", "mark")}
        return message.id, message.content, kept, "checkpoint_ns" in about

    config = thread(metadata={"mark": 1})
    modes = ["messages", "updates"]
    chunks = client.stream(GIVEN, config, stream_mode=modes, **options)
    spoken = [told(*chunk[-1]) for chunk in chunks if "messages" in chunk]
    updates = [_contents(chunk[-1]) for chunk in chunks if "updates" in chunk]
    return spoken, updates, texts(client.get_state(thread()).values["messages"])


def _contents(update: Any) -> Any:
    if isinstance(update, dict):
        return {key: _contents(value) for key, value in update.items()}
    if isinstance(update, list):
        return [_contents(each) for each in update]
    return getattr(update, "content", update)


def case_pushed_messages_come_before_what_is_returned(engine: Engine) -> Any:
    def node(_: Any) -> Any:
        pushed = engine.push_message(AIMessage("one", id="1"))
        engine.push_message({"role": "assistant", "content": "two", "id": "2"})
        return {"messages": [AIMessage(f"after {pushed.content}", id="3")]}

    return _shown(engine.compile(_graph(engine, node)))


def case_what_is_pushed_again_replaces(engine: Engine) -> Any:
    def node(_: Any) -> Any:
        engine.push_message(AIMessage("draft", id="1"))
        engine.push_message(AIMessageChunk(content="final", id="1"))
        return {"messages": [AIMessage("final", id="1")]}

    return _shown(engine.compile(_graph(engine, node)))


def case_what_is_pushed_may_be_kept_nowhere(engine: Engine) -> Any:
    def node(_: Any) -> Any:
        engine.push_message(AIMessage("one", id="1"), state_key=None)
        engine.push_message(AIMessage("two", id="2"), state_key="unknown")

    return _shown(engine.compile(_graph(engine, node)))


def case_a_graph_inside_pushes(engine: Engine) -> Any:
    def node(_: Any) -> Any:
        engine.push_message(AIMessage("one", id="1"))

    inner = _graph(engine, node).compile()
    around = engine.compile(_graph(engine, inner))
    called = engine.compile(_graph(engine, lambda state: inner.invoke(state)))
    return [_shown(each, subgraphs=True) for each in (around, called)], _shown(called)


def case_a_message_without_an_id_is_not_pushed(engine: Engine) -> Any:
    client = engine.compile(_graph(engine, lambda _: engine.push_message(AIMessage("one"))))
    return outcome(lambda: client.invoke(GIVEN, thread()))


def case_what_an_attempt_pushed_that_failed_is_not_kept(engine: Engine) -> Any:
    attempts = []

    def node(_: Any) -> Any:
        attempts.append(1)
        engine.push_message(AIMessage(f"try {len(attempts)}", id=str(len(attempts))))
        if len(attempts) == 1:
            raise ConnectionError
        return {}

    policy = engine.RetryPolicy(initial_interval=0.01, jitter=False)
    builder = engine.StateGraph(engine.MessagesState).add_node("n", node, retry_policy=policy)
    return _shown(engine.compile(builder.add_edge(engine.START, "n")))
