"""Nodes that call tools, and agents made of them, with models that are scripted.

The words of errors differ, so what a model is told of an error is not compared.
"""

# ruff: noqa: I002 what tools are annotated with is known in the functions that define them alone

import operator
import warnings
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import InjectedToolCallId, tool

from examples.ported.scripted import ScriptedModel, calling, in_turn
from tests.parity.engines import Client, Engine
from tests.parity.observe import kind, thread

HI = {"messages": [("user", "hi")]}


def _one(message: Any) -> Any:
    calls = [call["id"] for call in getattr(message, "tool_calls", ())]
    status = getattr(message, "status", None)
    said = "..." if status == "error" else message.content
    return message.type, said, message.name, getattr(message, "tool_call_id", None), calls, status


def _said(state: Any) -> list[Any]:
    """The messages of a state, or a list of them, without their ids."""
    return [_one(each) for each in (state if isinstance(state, list) else state["messages"])]


def _agent(engine: Engine, model: Any, tools: Any, **options: Any) -> Client:
    stops = {key: options.pop(key) for key in tuple(options) if key.startswith("interrupt")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangGraph's is deprecated
        builder = engine.create_react_agent(model, tools, **options).builder
    return engine.compile(builder, **stops)


def _tools(engine: Engine, node: Any, model: Any, *, state: Any = None) -> Client:
    builder = engine.StateGraph(state or engine.MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node(node)
    builder.add_edge(engine.START, "model")
    builder.add_conditional_edges("model", engine.tools_condition)
    builder.add_edge("tools", "model")
    return engine.compile(builder)


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def broken(how: str) -> str:
    """Fail."""
    raise KeyError(how)


ROME = ("weather", {"city": "Rome"})


# --- ToolNode -------------------------------------------------------------------------------------


def case_calls_are_made_beside_one_another_and_answered_in_order(engine: Engine) -> Any:
    calls = calling(ROME, ("weather", {"city": "Oslo"}), ("weather", {"city": "Bern"}))
    client = _tools(engine, engine.ToolNode([weather]), in_turn(calls, "done"))
    return _said(client.invoke(HI, thread()))


def case_a_model_is_told_of_wrong_calls(engine: Engine) -> Any:
    calls = calling(("weather", {"town": "Rome"}), ("nothing", {"a": 1}), ROME)
    client = _tools(engine, engine.ToolNode([weather]), in_turn(calls, "done"))
    return _said(client.invoke(HI, thread()))


def _tool_chunk(chunk: Any) -> Any:
    return {**chunk, "output": _one(chunk["output"])} if "output" in chunk else chunk


def case_what_tools_tell_is_streamed(engine: Engine) -> Any:
    def counting(n: int, runtime: Any) -> str:
        """Count."""
        for each in range(n):
            runtime.emit_output_delta(each)
        return "counted"

    counting.__annotations__["runtime"] = engine.ToolRuntime
    node = engine.ToolNode([counting, broken], handle_tool_errors=True)
    model = in_turn(calling(("counting", {"n": 2})), calling(("broken", {"how": "x"})), "done")
    client = _tools(engine, node, model)
    told = [_tool_chunk(chunk) for chunk in client.stream(HI, thread(), stream_mode="tools")]
    model = in_turn(calling(("counting", {"n": 2})), "done")
    modes = ["updates", "tools"]
    both = _tools(engine, node, model).stream(HI, thread("2"), stream_mode=modes)
    return told, [(mode, chunk["event"] if mode == "tools" else "") for mode, chunk in both]


def case_tools_in_graphs_inside_tell_who_looks_there(engine: Engine) -> Any:
    model = in_turn(calling(ROME), calling(ROME))
    inner = engine.StateGraph(engine.MessagesState)
    inner.add_node("model", lambda _: {"messages": [model.invoke([])]})
    inner.add_node(engine.ToolNode([weather])).add_edge(engine.START, "model")
    inner.add_edge("model", "tools")
    builder = engine.StateGraph(engine.MessagesState).add_node("inside", inner.compile())
    client = engine.compile(builder.add_edge(engine.START, "inside"))
    hidden = client.stream(HI, thread("1"), stream_mode="tools")
    told = client.stream(HI, thread("2"), stream_mode="tools", subgraphs=True)
    return hidden, [(len(ns), _tool_chunk(chunk)) for ns, chunk in told]


def _of_value_errors(error: ValueError) -> str:
    return f"a value: {error}"


def _of_keys(error: KeyError | TypeError) -> str:
    return f"a key: {error}"


def case_errors_of_tools(engine: Engine) -> Any:
    handling: tuple[Any, ...] = (
        *(True, False, "so sorry", KeyError, ValueError, (KeyError, TypeError)),
        *(_of_value_errors, _of_keys, lambda error: f"any: {error}"),
    )
    seen = []
    for handled in handling:
        node = engine.ToolNode([broken], handle_tool_errors=handled)
        client = _tools(engine, node, in_turn(calling(("broken", {"how": "x"})), "done"))
        seen.append(kind(lambda client=client: _said(client.invoke(HI, thread()))))  # type: ignore[misc]
    node = engine.ToolNode([broken])
    client = _tools(engine, node, in_turn(calling(("broken", {"how": "x"})), "done"))
    return [*seen, kind(lambda: client.invoke(HI, thread()))]


class Shop(TypedDict, total=False):
    """A conversation, and a basket beside it."""

    messages: Annotated[list[Any], operator.add]
    basket: Annotated[list[str], operator.add]
    where: str


def case_what_is_injected(engine: Engine) -> Any:
    injected, runtime = engine.InjectedState, engine.ToolRuntime

    def look(
        n: int,
        state: Annotated[dict[str, Any], injected],
        basket: Annotated[list[str], injected("basket")],
        runtime: runtime,  # type: ignore[valid-type]
        call: Annotated[str, InjectedToolCallId],
    ) -> str:
        """Look around."""
        same = runtime.state == state, runtime.tool_call_id == call  # type: ignore[attr-defined]
        return f"{n} {len(state['messages'])} {basket} {same} {runtime.config['tags']}"  # type: ignore[attr-defined]

    forged = calling(("look", {"n": 1, "state": {"messages": []}, "basket": ["forged"]}))
    client = _tools(engine, engine.ToolNode([look]), in_turn(forged, "done"), state=Shop)
    given = {"messages": [("user", "hi")], "basket": ["apple"]}
    return [
        one.content
        for one in client.invoke(given, {**thread(), "tags": ["t"]})["messages"]
        if getattr(one, "type", "") == "tool"
    ]


def case_a_tool_that_wants_what_the_state_lacks(engine: Engine) -> Any:
    def look(where: Annotated[str, engine.InjectedState("where")]) -> str:
        """Look around."""
        return where

    client = _tools(engine, engine.ToolNode([look]), in_turn(calling(("look", {}))), state=Shop)
    return kind(lambda: client.invoke({"messages": [("user", "hi")]}, thread()))


def case_tools_that_return_commands(engine: Engine) -> Any:
    @tool
    def put(what: str, call: Annotated[str, InjectedToolCallId]) -> Any:
        """Put something into the basket."""
        said = ToolMessage(f"put {what}", tool_call_id=call)
        return engine.Command(update={"basket": [what], "messages": [said]})

    calls = calling(("put", {"what": "apple"}), ROME, ("put", {"what": "pear"}))
    node = engine.ToolNode([put, weather])
    client = _tools(engine, node, in_turn(calls, "done"), state=Shop)
    state = client.invoke({"messages": [SystemMessage("hi")]}, thread())
    return _said(state), state["basket"]


def case_a_command_that_leaves_its_call_without_an_answer(engine: Engine) -> Any:
    @tool
    def put(what: str) -> Any:
        """Put something into the basket."""
        return engine.Command(update={"basket": [what]})

    model = in_turn(calling(("put", {"what": "apple"})))
    client = _tools(engine, engine.ToolNode([put]), model, state=Shop)
    return kind(lambda: client.invoke({"messages": [SystemMessage("hi")]}, thread()))


def case_a_tool_hands_over_to_another_agent(engine: Engine) -> Any:
    @tool
    def transfer(call: Annotated[str, InjectedToolCallId]) -> Any:
        """Hand over."""
        said = ToolMessage("handed over", tool_call_id=call)
        return engine.Command(goto="bob", graph=engine.Command.PARENT, update={"messages": [said]})

    builder = engine.StateGraph(engine.MessagesState)
    builder.add_node("model", lambda _: {"messages": [calling(("transfer", {}))]})
    builder.add_node(engine.ToolNode([transfer]))
    builder.add_edge(engine.START, "model").add_edge("model", "tools")
    outer = engine.StateGraph(engine.MessagesState)
    outer.add_node("alice", builder.compile(), destinations=("bob",))
    outer.add_node("bob", lambda _: {"messages": [AIMessage("bob here", name="bob")]})
    outer.add_edge(engine.START, "alice")
    return _said(engine.compile(outer).invoke(HI, thread()))


def case_a_wrapper_of_calls(engine: Engine) -> Any:
    def wrap(request: Any, execute: Any) -> Any:
        call = request.tool_call
        if call["name"] == "nothing":
            return ToolMessage("found anyway", tool_call_id=call["id"], name="nothing")
        again = request.override(tool_call={**call, "args": {"city": "Paris"}})
        return execute(again if request.tool.name == "weather" else request)

    calls = calling(ROME, ("nothing", {"a": 1}))
    node = engine.ToolNode([weather], wrap_tool_call=wrap)
    return _said(_tools(engine, node, in_turn(calls, "done")).invoke(HI, thread()))


def case_messages_under_another_key(engine: Engine) -> Any:
    class Chat(TypedDict):
        chat: Annotated[list[Any], engine.add_messages]

    builder = engine.StateGraph(Chat)
    builder.add_node("model", lambda _: {"chat": [calling(ROME)]})
    builder.add_node(engine.ToolNode([weather], messages_key="chat"))
    builder.add_edge(engine.START, "model")
    builder.add_conditional_edges("model", lambda s: engine.tools_condition(s, "chat"))
    return _said(engine.compile(builder).invoke({"chat": [("user", "hi")]}, thread())["chat"])


def case_a_send_of_calls_alone_finds_the_state(engine: Engine) -> Any:
    def look(n: int, basket: Annotated[list[str], engine.InjectedState("basket")]) -> str:
        """Look around."""
        return f"{n} {basket}"

    def route(state: Any) -> Any:
        return [engine.Send("tools", [call]) for call in state["messages"][-1].tool_calls]

    builder = engine.StateGraph(Shop)
    calls = calling(("look", {"n": 1}), ("look", {"n": 2}))
    builder.add_node("model", lambda _: {"messages": [calls], "basket": ["apple"]})
    builder.add_node(engine.ToolNode([look]))
    builder.add_edge(engine.START, "model")
    builder.add_conditional_edges("model", route, ["tools"])
    return _said(engine.compile(builder).invoke({"messages": [SystemMessage("hi")]}, thread()))


def case_calls_that_are_looked_at_alone(engine: Engine) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangGraph's is deprecated
        node = engine.ValidationNode([weather])
    builder = engine.StateGraph(engine.MessagesState)
    calls = calling(ROME, ("weather", {"town": "Rome"}))
    builder.add_node("model", lambda _: {"messages": [calls]}).add_node("look", node)
    builder.add_edge(engine.START, "model").add_edge("model", "look")
    said = engine.compile(builder).invoke(HI, thread())["messages"]
    return [(one.type, one.additional_kwargs, one.name) for one in said]


# --- agents ---------------------------------------------------------------------------------------


def _versions(run: Callable[[str], Any]) -> list[Any]:
    return [run(version) for version in ("v1", "v2")]


def case_an_agent_calls_tools_until_it_answers(engine: Engine) -> Any:
    turns = (calling(ROME), calling(("weather", {"city": "Oslo"}), ROME), "warm")

    def run(version: str) -> Any:
        client = _agent(engine, in_turn(*turns), [weather], version=version, name="ada")
        return _said(client.invoke(HI, thread())), len(client.history(thread()))

    return _versions(run)


def case_an_agent_without_tools(engine: Engine) -> Any:
    return _said(_agent(engine, in_turn("hello"), []).invoke(HI, thread()))


def _asking(engine: Engine) -> Any:
    def book(what: str) -> str:
        """Book something."""
        return f"{what}: {engine.interrupt(f'book {what}?')}"

    return book


def case_a_tool_that_asks(engine: Engine) -> Any:
    def run(version: str) -> Any:
        model = in_turn(calling(("book", {"what": "a room"}), ROME), "booked")
        client = _agent(engine, model, [_asking(engine), weather], version=version)
        asked = client.invoke(HI, thread())["__interrupt__"]
        done = client.invoke(engine.Command(resume="yes"), thread())
        return [one.value for one in asked], _said(done)

    return _versions(run)


def case_tools_that_ask_beside_one_another(engine: Engine) -> Any:
    model = in_turn(calling(("book", {"what": "a room"}), ("book", {"what": "a car"})), "booked")
    client = _agent(engine, model, [_asking(engine)])
    asked = client.invoke(HI, thread())["__interrupt__"]
    answers = {one.id: f"yes, {one.value}" for one in asked}
    return sorted(answers.values()), _said(client.invoke(engine.Command(resume=answers), thread()))


def case_prompts(engine: Engine) -> Any:
    def script(messages: Iterable[Any]) -> AIMessage:
        return AIMessage(" / ".join(f"{one.type} {one.content}" for one in messages))

    def made(state: Any) -> Any:
        return [SystemMessage("made"), *state["messages"]]

    prompts = ("be nice", SystemMessage("be kind"), made, RunnableLambda(made), None)
    model = ScriptedModel(script=script)
    return [_said(_agent(engine, model, [], prompt=one).invoke(HI, thread())) for one in prompts]


def case_a_model_that_is_chosen_by_the_state(engine: Engine) -> Any:
    def choose(state: Any, runtime: Any) -> Any:
        turn = "first" if len(state["messages"]) == 1 else "second"
        tools = [weather]
        return in_turn(calling(ROME), f"{turn} {runtime.context}").bind_tools(tools)

    return _said(_agent(engine, choose, [weather]).invoke(HI, thread()))


def case_a_model_that_has_other_tools_is_refused(engine: Engine) -> Any:
    model = in_turn("hi").bind_tools([weather])

    def given(tools: Any) -> Any:
        return kind(lambda: type(_agent(engine, model, tools)).__name__)

    # The driver of the client differs where it is made.
    found = [given(tools) for tools in ([weather], [broken], [weather, broken])]
    return [one if isinstance(one, dict) else "made" for one in found]


def case_hooks_of_a_model(engine: Engine) -> Any:
    def before(state: Any) -> Any:
        return {"llm_input_messages": [("user", f"{len(state['messages'])} so far")]}

    def after(state: Any) -> Any:
        return {"messages": [AIMessage("checked")]} if not state["messages"][-1].tool_calls else {}

    def script(messages: Any) -> AIMessage:
        return (
            calling(ROME) if messages[-1].content == "1 so far" else AIMessage(messages[-1].content)
        )

    model = ScriptedModel(script=script)
    hooks = {"pre_model_hook": before, "post_model_hook": after}
    client = _agent(engine, model, [weather], **hooks)
    return _said(client.invoke(HI, thread()))


def case_a_tool_whose_result_is_the_answer(engine: Engine) -> Any:
    direct = tool(return_direct=True)(weather)

    def run(version: str) -> Any:
        model = in_turn(calling(ROME), "never said")
        return _said(_agent(engine, model, [direct], version=version).invoke(HI, thread()))

    return _versions(run)


def case_stops_around_tools(engine: Engine) -> Any:
    seen = []
    for stops in ({"interrupt_before": ["tools"]}, {"interrupt_after": ["tools"]}):
        client = _agent(engine, in_turn(calling(ROME), "warm"), [weather], **stops)
        client.invoke(HI, thread())
        seen += [client.get_state(thread()).next, _said(client.invoke(None, thread()))]
    return seen


def case_updates_of_an_agent(engine: Engine) -> Any:
    client = _agent(engine, in_turn(calling(ROME), "warm"), [weather])
    chunks = client.stream(HI, thread(), stream_mode="updates")
    return [{node: _said(update) for node, update in chunk.items()} for chunk in chunks]


def case_a_conversation_with_a_call_that_nobody_answered(engine: Engine) -> Any:
    client = _agent(engine, in_turn("hi"), [weather])
    given = {"messages": [("user", "hi"), calling(ROME), ("user", "well?")]}
    return kind(lambda: client.invoke(given, thread()))


def case_an_agent_without_enough_steps(engine: Engine) -> Any:
    client = _agent(engine, in_turn(calling(ROME)), [weather])
    said = client.invoke(HI, thread(recursion_limit=4))["messages"]
    return [one.type for one in said]


def case_a_schema_that_lacks_a_key(engine: Engine) -> Any:
    return kind(lambda: _agent(engine, in_turn("hi"), [], state_schema=engine.MessagesState))
