"""What agents and nodes with tools do beside what LangGraph's do, and where those differ."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.messages import AIMessage, HumanMessage
from distgraph.prebuilt import ToolNode, ValidationNode, create_react_agent, tools_condition
from distgraph.prebuilt import interrupt as inbox
from distgraph.prebuilt.agent_state import AgentState, AgentStateWithStructuredResponse
from distgraph.prebuilt.tool_node import ToolCallRequest, ToolInvocationError
from distgraph.store.memory import InMemoryStore
from distgraph.types import Command, interrupt
from examples.ported.scripted import ScriptedModel, calling, in_turn
from tests.support.processes import ROOT

CONFIG: Any = {"configurable": {"thread_id": "1"}}
HI: Any = {"messages": "hi"}


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


async def slowly(city: str) -> str:
    """Tell it on a loop."""
    return f"slowly, {city}"


def test_an_agent_needs_no_langchain() -> None:
    command = [sys.executable, "-m", "tests.support.plain_agent"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(ended.stdout)
    assert told["tools"] == ["weather", "remember", "approve"]
    assert told["asked"] == ["?"]
    own = "tool distgraph.messages.plain"
    assert told["done"][2:5] == [f"{own} Rome, 1 days: sunny", f"{own} Rome, 2", f"{own} ?: yes"]
    assert "days: Input should be a valid integer" in told["done"][6]
    assert "The tools are: weather, remember, approve." in told["done"][7]
    assert told["alone"] == [f"{own} Oslo, 1 days: sunny", f"{own} Bern, slowly"]


def test_what_inboxes_show_is_a_question_with_what_may_be_done_about_an_action() -> None:
    may = inbox.HumanInterruptConfig(
        allow_ignore=True, allow_respond=True, allow_edit=False, allow_accept=True
    )
    action = inbox.ActionRequest(action="book", args={"city": "Rome"})

    def ask(state: MessagesState) -> dict[str, Any]:
        del state
        question = inbox.HumanInterrupt(action_request=action, config=may, description=None)
        answer: inbox.HumanResponse = interrupt(question)
        return {"messages": [("ai", f"{answer['type']}: {answer['args']}")]}

    builder = StateGraph(MessagesState).add_node(ask).add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())
    (question,) = graph.invoke(HI, CONFIG)["__interrupt__"]
    assert question.value["action_request"] == {"action": "book", "args": {"city": "Rome"}}
    answer = inbox.HumanResponse(type="accept", args=None)
    told = graph.invoke(Command(resume=answer), CONFIG)["messages"][-1]
    assert told.content == "accept: None"


@pytest.mark.parametrize("tools", ["weather", 5, [5]])
def test_what_is_no_tool_is_refused(tools: Any) -> None:
    with pytest.raises(TypeError, match=r"not (str 'weather'|int 5)"):
        ToolNode(tools)


# --- nodes with tools -----------------------------------------------------------------------------


def asked(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"messages": [calling(*calls)]}


def said(update: Any) -> list[str]:
    return [message.content for message in update["messages"]]


def test_a_node_can_be_called_outside_of_a_graph() -> None:
    node = ToolNode([weather])
    calls = [{"name": "weather", "args": {"city": "Rome"}, "id": "1", "type": "tool_call"}]
    assert said(node.invoke(asked(("weather", {"city": "Rome"})))) == ["sunny in Rome"]
    assert said(node.invoke(calls)) == ["sunny in Rome"]
    assert said({"messages": node.invoke([calling(("weather", {"city": "Rome"}))])}) == [
        "sunny in Rome"
    ]
    assert said(node.invoke({"messages": [AIMessage("", tool_calls=calls)]})) == ["sunny in Rome"]


async def test_blocking_tools_and_coroutines_run_on_a_loop() -> None:
    update = await ToolNode([weather, slowly]).ainvoke(
        asked(("weather", {"city": "Rome"}), ("slowly", {"city": "Oslo"}))
    )
    assert said(update) == ["sunny in Rome", "slowly, Oslo"]


def test_a_coroutine_cannot_be_called_without_a_loop() -> None:
    with pytest.raises(NotImplementedError):
        ToolNode([slowly]).invoke(asked(("slowly", {"city": "Oslo"})))


@pytest.mark.parametrize("given", [{}, {"messages": [HumanMessage("hi")]}, []])
def test_an_input_without_a_model_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="messages"):
        ToolNode([weather]).invoke(given)


def test_a_state_without_messages_leads_nowhere() -> None:
    with pytest.raises(ValueError, match="'messages'"):
        tools_condition({})


def test_the_error_for_wrong_arguments_says_which() -> None:
    seen: list[ToolInvocationError] = []

    def told(error: ToolInvocationError) -> str:
        seen.append(error)
        return error.message

    node = ToolNode([weather], handle_tool_errors=told)
    node.invoke(asked(("weather", {"town": "Rome"})))
    assert seen[0].tool_name == "weather"
    assert seen[0].tool_kwargs == {"town": "Rome"}
    assert [one["loc"] for one in seen[0].filtered_errors or ()] == [("city",)]


def test_a_handler_is_annotated_with_exceptions() -> None:
    def told(error: int) -> str:
        return str(error)

    def broken() -> str:
        """Fail."""
        raise KeyError("x")

    node = ToolNode([broken], handle_tool_errors=told)
    with pytest.raises(ValueError, match="it takes exceptions"):
        node.invoke(asked(("broken", {})))


async def test_a_wrapper_that_is_a_coroutine_may_call_twice() -> None:
    async def twice(request: ToolCallRequest, execute: Any) -> Any:
        await execute(request)
        call = {**request.tool_call, "args": {"city": "Paris"}}
        return await execute(request.override(tool_call=call))

    node = ToolNode([weather], awrap_tool_call=twice)
    assert said(await node.ainvoke(asked(("weather", {"city": "Rome"})))) == ["sunny in Paris"]
    assert said(node.invoke(asked(("weather", {"city": "Rome"})))) == ["sunny in Rome"]


def test_a_wrapper_that_fails_is_an_error_of_its_tool() -> None:
    def broken(request: ToolCallRequest, execute: Any) -> Any:
        raise KeyError("x")

    node = ToolNode([weather], wrap_tool_call=broken, handle_tool_errors="sorry")
    assert said(node.invoke(asked(("weather", {"city": "Rome"})))) == ["sorry"]


def test_all_questions_of_tools_in_one_node_wait_together() -> None:
    def book(what: str) -> str:
        """Book something."""
        return f"{what}: {interrupt(what)}"

    builder = StateGraph(MessagesState)
    calls = calling(("book", {"what": "a room"}), ("book", {"what": "a car"}))
    builder.add_node("model", lambda _: {"messages": [calls]}).add_node(ToolNode([book]))
    builder.add_edge(START, "model").add_edge("model", "tools")
    graph = builder.compile(checkpointer=InMemorySaver())
    questions = graph.invoke(HI, CONFIG)["__interrupt__"]
    assert sorted(one.value for one in questions) == ["a car", "a room"]
    done = graph.invoke(Command(resume={one.id: f"<{one.value}>" for one in questions}), CONFIG)
    assert said(done)[-2:] == ["a room: <a room>", "a car: <a car>"]


class Number(BaseModel):
    """A number."""

    n: int


def test_calls_are_looked_at_alone() -> None:
    node = ValidationNode([Number, weather], format_error=lambda *_: "wrong")
    update = node.invoke(asked(("Number", {"n": "3"}), ("Number", {"n": "x"}), ("weather", {})))
    assert said(update) == ['{"n":3}', "wrong", "wrong"]
    with pytest.raises(ValueError, match="A schema is"):
        ValidationNode([3])


# --- agents ---------------------------------------------------------------------------------------


def test_an_agent_has_the_store_of_its_graph() -> None:
    store = InMemoryStore()
    store.put(("cities",), "home", {"name": "Rome"})

    def prompt(state: Any, *, store: Any) -> Any:
        return [("system", store.get(("cities",), "home").value["name"]), *state["messages"]]

    def script(messages: list[Any]) -> Any:
        return calling().model_copy(update={"content": messages[0].content})

    model = ScriptedModel(script=script)
    agent = create_react_agent(model, [], prompt=prompt, store=store)
    assert said(agent.invoke(HI))[-1] == "Rome"


class Structured(ScriptedModel):
    """A model that answers in a form, as those of providers do."""

    def with_structured_output(self, schema: Any, **_: Any) -> Any:
        return Reader(schema)


class Reader:
    """What fills the form: with how many messages it was told."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema

    def invoke(self, messages: Any, *_: Any) -> Any:
        return self.schema(n=len(messages))


@pytest.mark.parametrize(("form", "n"), [(Number, 2), (("Count.", Number), 3)])
def test_an_agent_says_its_last_word_in_a_form(form: Any, n: int) -> None:
    model = Structured(script=in_turn("three").script)
    agent = create_react_agent(model, [], response_format=form)
    assert agent.invoke(HI)["structured_response"] == Number(n=n)


async def test_a_model_may_be_chosen_by_a_coroutine() -> None:
    async def choose(state: Any, runtime: Any) -> Any:
        return in_turn("chosen")

    agent = create_react_agent(choose, [])
    assert said(await agent.ainvoke(HI))[-1] == "chosen"
    with pytest.raises(TypeError, match="ainvoke"):
        agent.invoke(HI)


class Plain:
    """A model that cannot do more than answer."""

    def invoke(self, *_: Any) -> Any:
        return AIMessage("hi")


def test_a_form_needs_a_model_that_can_fill_one() -> None:
    agent = create_react_agent(Plain(), [], response_format=Number)
    with pytest.raises(TypeError, match="with_structured_output"):
        agent.invoke(HI)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"version": "v3"}, "'v1' or 'v2'"),
        ({"state_schema": MessagesState}, "lacks 'remaining_steps'"),
        ({"state_schema": AgentState, "response_format": Number}, "'structured_response'"),
    ],
)
def test_what_makes_no_agent_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        create_react_agent(in_turn("hi"), [], **options)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(TypeError, match="A model has invoke"):
        create_react_agent(3, [])
    with pytest.raises(TypeError, match="bind_tools"):
        create_react_agent(Plain(), [weather])


def test_a_model_that_is_named_needs_langchain() -> None:
    with pytest.raises(ImportError, match="pip install langchain"):
        create_react_agent("openai:gpt-5", [])


def test_a_state_of_ones_own_may_have_more() -> None:
    class Mine(AgentStateWithStructuredResponse):
        mood: str

    agent = create_react_agent(in_turn("hi"), [], state_schema=Mine)
    assert agent.invoke({**HI, "mood": "good"})["mood"] == "good"
