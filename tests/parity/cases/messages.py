"""Lists of messages: merged by id, streamed as whole messages."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage

from tests.parity.engines import Engine
from tests.parity.observe import outcome, thread


def chat(engine: Engine, *replies: Any) -> Any:
    """A graph whose nodes answer with `replies`, one after the other."""
    builder = engine.StateGraph(engine.MessagesState)
    previous = engine.START
    for place, reply in enumerate(replies):
        builder.add_node(f"n{place}", lambda _, reply=reply: {"messages": reply})
        builder.add_edge(previous, f"n{place}")
        previous = f"n{place}"
    return engine.compile(builder)


def texts(messages: Any) -> list[Any]:
    """Class, type and content of each message."""
    return [(type(one), one.type, one.content) for one in messages]


def case_messages_are_appended_and_replaced_by_id(engine: Engine) -> Any:
    client = chat(engine, AIMessage("draft", id="1"), [AIMessage("final", id="1"), "more"])
    result = client.invoke({"messages": [("user", "hi")]}, thread())
    return texts(result["messages"])


def case_messages_are_removed_by_id(engine: Engine) -> Any:
    client = chat(engine, AIMessage("draft", id="1"), RemoveMessage(id="1"))
    wrong = chat(engine, RemoveMessage(id="none"))
    return [
        texts(client.invoke({"messages": [HumanMessage("hi")]}, thread())["messages"]),
        outcome(lambda: wrong.invoke({"messages": []}, thread())),
    ]


def case_messages_are_streamed_whole(engine: Engine) -> Any:
    client = chat(engine, AIMessage("one", id="1"), [AIMessage("two", id="2")])
    given = {"messages": [HumanMessage("hi", id="0")]}
    chunks = client.stream(given, thread(), stream_mode="messages")
    return [
        (one.type, one.content, about["langgraph_node"], about["langgraph_step"])
        for one, about in chunks
    ]


def case_messages_beside_updates(engine: Engine) -> Any:
    client = chat(engine, AIMessage("one", id="1"))
    chunks = client.stream({"messages": []}, thread(), stream_mode=["messages", "updates"])
    return sorted(mode for mode, _ in chunks)


def case_a_message_stands_with_where_it_comes_from(engine: Engine) -> Any:
    client = chat(engine, AIMessage("one", id="1"))
    config = thread("1", metadata={"user": "u"})
    chunks = client.stream({"messages": []}, config, stream_mode="messages")
    return [
        {
            "user": about["user"],
            "thread": about["thread_id"],
            "triggers": about["langgraph_triggers"],
            "ns": about["langgraph_checkpoint_ns"].partition(":")[0],
        }
        for _, about in chunks
    ]


def case_what_stands_with_a_message_of_the_config_of_its_run(engine: Engine) -> Any:
    client = chat(engine, AIMessage("one", id="1"))
    names = ("run_id", "task_id", "assistant_id", "graph_id", "user_id", "api_key", "mine")
    told: list[Any] = []
    for metadata in ({}, {"mine": "m", "graph_id": "other", "ls_integration": "me"}):
        config = thread(str(len(told)), metadata=metadata, tags=["t"])
        config["configurable"].update({name: name[0] for name in names})
        ((_, about),) = client.stream({"messages": []}, config, stream_mode="messages")
        told.append({k: v for k, v in about.items() if not k.startswith("langgraph_")})
    return told


def case_messages_of_an_earlier_run_are_not_streamed_again(engine: Engine) -> Any:
    def asks(state: Any) -> Any:
        return {"messages": AIMessage(engine.interrupt("q"), id="2")}

    builder = engine.StateGraph(engine.MessagesState).add_node("asks", asks)
    builder.add_node("beside", lambda _: {"messages": AIMessage("beside", id="1")})
    builder.add_edge(engine.START, "asks").add_edge(engine.START, "beside")
    client = engine.compile(builder)
    inputs: list[Any] = [{"messages": []}, engine.Command(resume="answer")]
    return [
        [one.content for one, _ in client.stream(given, thread(), stream_mode="messages")]
        for given in inputs
    ]


def case_messages_are_streamed_with_the_ids_that_they_have_in_the_state(engine: Engine) -> Any:
    client = chat(engine, AIMessage("one"), [AIMessage("two"), ("ai", "three")])
    modes = ["messages", "updates", "values"]
    chunks = client.stream({"messages": [HumanMessage("hi")]}, thread(), stream_mode=modes)
    kept = [one.id for one in [c for mode, c in chunks if mode == "values"][-1]["messages"]]
    return [
        [kept.index(chunk[0].id) for mode, chunk in chunks if mode == "messages"],
        len(set(kept)),
    ]


def case_contents_are_brought_into_the_form_of_openai(engine: Engine) -> Any:
    image = {"type": "image", "source": {"type": "base64", "media_type": "m/x", "data": "aa"}}
    reducer = engine.add_messages(format="langchain-openai")
    return texts(reducer([HumanMessage([image])], [("ai", [{"type": "text", "text": "a"}])]))


def case_short_forms_of_messages(engine: Engine) -> Any:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    given = [
        "hi",
        ("system", "s"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"type": "tool", "content": "t", "tool_call_id": "1", "status": "error"},
        {"role": "developer", "content": "d", "name": "n", "more": 1},
    ]
    made = engine.add_messages([], given)
    return [one.model_dump(exclude={"id"}) for one in made]


def case_messages_of_graphs_inside_are_streamed_once(engine: Engine) -> Any:
    """By the graph that made them, and not again by the one around; what is sent in is not new."""
    inner = engine.StateGraph(engine.MessagesState)
    inner.add_node("i", lambda _: {"messages": AIMessage("one", id="1")})
    inner.add_node("j", lambda _: {"messages": [AIMessage("two", id="2")]})
    graph = inner.add_edge(engine.START, "i").add_edge("i", "j").compile()
    given = {"messages": [HumanMessage("hi", id="0")]}

    async def calls_async(state: Any) -> Any:
        return await graph.ainvoke(given)

    calls = calls_async if engine.asynchronous else lambda _: graph.invoke(given)
    results = []
    for node in (graph, calls):
        builder = engine.StateGraph(engine.MessagesState).add_node("sub", node)
        builder.add_node("z", lambda _: {"messages": AIMessage("three", id="3")})
        builder.add_edge(engine.START, "sub").add_edge("sub", "z")
        for deep in (True, False):
            modes: Any = ["messages", "updates"]
            client, where = engine.compile(builder), thread(f"{deep}")
            chunks = client.stream({"messages": []}, where, stream_mode=modes, subgraphs=deep)
            results.append([_said(chunk) for chunk in chunks if "messages" in chunk])
    return results


def _said(chunk: Any) -> Any:
    *place, _, (message, about) = chunk
    names = [part.partition(":")[0] for part in place[0]] if place else None
    return names, message.content, about["langgraph_node"], about["langgraph_step"]


def case_a_message_stands_with_the_checkpoint_that_its_run_began_at(engine: Engine) -> Any:
    client = chat(engine, AIMessage("one", id="1"), AIMessage("two", id="2"))
    client.invoke({"messages": [HumanMessage("hi", id="0")]}, thread())
    older = client.history(thread())[1]
    known = older.config["configurable"]["checkpoint_id"]
    chunks = client.stream(None, older.config, stream_mode="messages")
    return [(one.content, about.get("checkpoint_id") == known) for one, about in chunks]
