"""Programs as the public documents of LangGraph show them: only the imports differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from typing_extensions import TypedDict

from distgraph.checkpoint.memory import InMemorySaver, MemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import InvalidUpdateError
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, Send, interrupt

CONFIG: Any = {"configurable": {"thread_id": "thread-1"}}


def asked(result: dict[str, Any]) -> list[Any]:
    return [one.value for one in result["__interrupt__"]]


def chunks(graph: Any, given: Any) -> list[Any]:
    return list(graph.stream(given, CONFIG))


class ReviewState(TypedDict, total=False):
    needs_review: bool
    draft: str
    status: str


def review_draft(state: ReviewState) -> dict[str, str]:
    if state["needs_review"]:
        answer = interrupt({"action": "review", "data": state["draft"]})
        if answer == "reject":
            return {"status": "rejected"}
    return {"status": "approved"}


@pytest.mark.parametrize(
    ("needs_review", "answer", "status"),
    [(True, "approve", "approved"), (True, "reject", "rejected"), (False, None, "approved")],
)
def test_a_review_pauses_only_where_it_is_needed(
    needs_review: bool, answer: str | None, status: str
) -> None:
    graph = (
        StateGraph(ReviewState)
        .add_node("review", review_draft)
        .add_edge(START, "review")
        .add_edge("review", END)
        .compile(checkpointer=InMemorySaver())
    )
    result = graph.invoke({"needs_review": needs_review, "draft": "content"}, CONFIG)
    if needs_review:
        assert asked(result) == [{"action": "review", "data": "content"}]
        result = graph.invoke(Command(resume=answer), CONFIG)
    assert result["status"] == status


class RequestState(TypedDict):
    request: str
    approved: bool
    response: str


def request_approval(state: RequestState) -> dict[str, Any]:
    answer = interrupt(f"Approve request: {state['request']}? (yes/no)")
    return {"approved": answer == "yes"}


def process_request(state: RequestState) -> dict[str, Any]:
    if state["approved"]:
        return {"response": f"Processed: {state['request']}"}
    return {"response": "Request denied"}


@pytest.fixture
def requests() -> Any:
    builder = StateGraph(RequestState)
    builder.add_node("approval", request_approval)
    builder.add_node("process", process_request)
    builder.add_edge(START, "approval")
    builder.add_edge("approval", "process")
    builder.add_edge("process", END)
    return builder


GIVEN = {"request": "deploy", "approved": False, "response": ""}


def test_a_streamed_request_waits_and_is_processed(requests: Any) -> None:
    graph = requests.compile(checkpointer=MemorySaver())
    (paused,) = chunks(graph, GIVEN)
    assert asked(paused) == ["Approve request: deploy? (yes/no)"]
    state = graph.get_state(CONFIG)
    assert state.next == ("approval",)
    assert [one.value for one in state.interrupts] == asked(paused)
    assert chunks(graph, Command(resume="yes")) == [
        {"approval": {"approved": True}},
        {"process": {"response": "Processed: deploy"}},
    ]


def test_a_request_is_changed_at_a_stop_before_its_node(requests: Any) -> None:
    graph = requests.compile(checkpointer=MemorySaver(), interrupt_before=["approval"])
    assert chunks(graph, GIVEN) == [{"__interrupt__": ()}]
    assert graph.get_state(CONFIG).next == ("approval",)
    changed = graph.update_state(CONFIG, {"request": "test"})
    (paused,) = list(graph.stream(None, changed))
    assert asked(paused) == ["Approve request: test? (yes/no)"]


def test_an_approval_is_changed_at_a_stop_after_its_node(requests: Any) -> None:
    graph = requests.compile(checkpointer=MemorySaver(), interrupt_after=["approval"])
    chunks(graph, GIVEN)
    assert chunks(graph, Command(resume="no"))[-1] == {"__interrupt__": ()}
    state = graph.get_state(CONFIG)
    assert (state.values["approved"], state.next) == (False, ("process",))
    changed = graph.update_state(CONFIG, {"approved": True})
    assert list(graph.stream(None, changed)) == [{"process": {"response": "Processed: deploy"}}]


@pytest.mark.parametrize("everywhere", ["*", ["*"]])
def test_a_stop_before_every_node_steps_through(requests: Any, everywhere: Any) -> None:
    graph = requests.compile(checkpointer=MemorySaver(), interrupt_before=everywhere)
    assert chunks(graph, GIVEN) == [{"__interrupt__": ()}]
    assert asked(chunks(graph, None)[0])
    assert chunks(graph, Command(resume="yes"))[-1] == {"__interrupt__": ()}
    assert chunks(graph, None) == [{"process": {"response": "Processed: deploy"}}]


class StepState(TypedDict):
    data: str


def test_stops_before_one_node_and_after_another() -> None:
    def step(state: StepState) -> dict[str, str]:
        return {"data": state["data"] + "."}

    graph = (
        StateGraph(StepState)
        .add_node("step1", step)
        .add_node("step2", step)
        .add_node("step3", step)
        .add_edge(START, "step1")
        .add_edge("step1", "step2")
        .add_edge("step2", "step3")
        .add_edge("step3", END)
        .compile(
            checkpointer=InMemorySaver(), interrupt_before=["step2"], interrupt_after=["step3"]
        )
    )
    assert graph.invoke({"data": "test"}, CONFIG) == {"data": "test."}
    graph.update_state(CONFIG, {"data": "edited"})
    assert graph.invoke(None, CONFIG) == {"data": "edited.."}
    assert graph.get_state(CONFIG).next == ()


class WorkflowState(TypedDict, total=False):
    plan: str
    plan_approved: bool
    log: list[str]
    final_approved: bool


def test_two_approvals_one_after_the_other() -> None:
    def create(state: WorkflowState) -> dict[str, Any]:
        return {"plan": "1. back up\n2. update"}

    def review(state: WorkflowState) -> dict[str, Any]:
        return {"plan_approved": interrupt(f"Review plan:\n{state['plan']}")}

    def execute(state: WorkflowState) -> dict[str, Any]:
        return {"log": ["step 1", "step 2"]}

    def final(state: WorkflowState) -> dict[str, Any]:
        return {"final_approved": interrupt(f"Done:\n{chr(10).join(state['log'])}")}

    builder = StateGraph(WorkflowState)
    builder.add_sequence(
        [("plan_it", create), ("review", review), ("execute", execute), ("final", final)]
    )
    builder.add_edge(START, "plan_it").add_edge("final", END)
    graph = builder.compile(checkpointer=MemorySaver())
    assert asked(chunks(graph, {"plan": ""})[-1]) == ["Review plan:\n1. back up\n2. update"]
    assert asked(chunks(graph, Command(resume=True))[-1]) == ["Done:\nstep 1\nstep 2"]
    assert chunks(graph, Command(resume=True)) == [{"final": {"final_approved": True}}]


class ItemsState(TypedDict):
    items: list[str]
    results: list[str]


def fan_out(state: ItemsState) -> list[Send]:
    return [Send("process_item", {"item": item}) for item in state["items"]]


def process_item(packet: dict[str, str]) -> dict[str, list[str]]:
    return {"results": [f"Processed: {packet['item']}"]}


@pytest.fixture
def items() -> Any:
    builder = StateGraph(ItemsState)
    builder.add_node("fan_out", fan_out)
    builder.add_node("process_item", process_item)
    builder.add_edge(START, "fan_out")
    builder.add_conditional_edges("fan_out", lambda _: [])
    builder.add_edge("process_item", END)
    return builder.compile()


def test_a_node_may_return_a_list_of_sends(items: Any) -> None:
    result = items.invoke({"items": ["task1"], "results": []})
    assert result["results"] == ["Processed: task1"]


def test_results_of_a_fan_out_need_a_reducer(items: Any) -> None:
    with pytest.raises(InvalidUpdateError, match=r"'results'.*only one value per step"):
        items.invoke({"items": ["task1", "task2"], "results": []})


class TaskState(TypedDict):
    task: str
    params: dict[str, str]
    result: str


def test_an_answer_comes_with_an_update_of_the_state() -> None:
    def execute(state: TaskState) -> dict[str, str]:
        params = interrupt({"task": state["task"], "params": state["params"]})
        return {"result": f"Executed {state['task']} with {params}"}

    builder = StateGraph(TaskState).add_node("execute", execute)
    builder.add_edge(START, "execute").add_edge("execute", END)
    graph = builder.compile(checkpointer=MemorySaver())
    given = {"task": "backup", "params": {"target": "prod"}, "result": ""}
    assert asked(chunks(graph, given)[0]) == [{"task": "backup", "params": {"target": "prod"}}]
    chunks(graph, Command(update={"task": "verified"}, resume={"target": "staging"}))
    values = graph.get_state(CONFIG).values
    assert values["result"] == "Executed verified with {'target': 'staging'}"


class ApprovalState(TypedDict):
    action_details: str
    status: Literal["pending", "approved", "rejected"] | None


def approval(state: ApprovalState) -> Command[Literal["proceed", "cancel"]]:
    decision = interrupt({"question": "Approve?", "details": state["action_details"]})
    return Command(goto="proceed" if decision else "cancel")


@pytest.mark.parametrize(("decision", "status"), [(True, "approved"), (False, "rejected")])
def test_an_approval_decides_where_to_go(decision: bool, status: str) -> None:
    builder = StateGraph(ApprovalState)
    builder.add_node("approval", approval)
    builder.add_node("proceed", lambda _: {"status": "approved"})
    builder.add_node("cancel", lambda _: {"status": "rejected"})
    builder.add_edge(START, "approval")
    builder.add_edge("proceed", END).add_edge("cancel", END)
    graph = builder.compile(checkpointer=MemorySaver())
    initial = graph.invoke({"action_details": "Transfer $500", "status": "pending"}, CONFIG)
    assert asked(initial) == [{"question": "Approve?", "details": "Transfer $500"}]
    assert graph.invoke(Command(resume=decision), CONFIG)["status"] == status


class TextState(TypedDict):
    generated_text: str


def test_a_text_is_reviewed_and_edited() -> None:
    def review(state: TextState) -> dict[str, str]:
        updated = interrupt({"instruction": "Edit this", "content": state["generated_text"]})
        return {"generated_text": updated}

    builder = StateGraph(TextState).add_node("review", review)
    builder.add_edge(START, "review").add_edge("review", END)
    graph = builder.compile(checkpointer=MemorySaver())
    initial = graph.invoke({"generated_text": "draft"}, CONFIG)
    assert asked(initial) == [{"instruction": "Edit this", "content": "draft"}]
    assert graph.invoke(Command(resume="better"), CONFIG) == {"generated_text": "better"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "forms.db")
    yield connection
    connection.close()


class FormState(TypedDict):
    age: int | None


def get_age(state: FormState) -> dict[str, int]:
    prompt = "What is your age?"
    while True:
        answer = interrupt(prompt)
        if isinstance(answer, int) and answer > 0:
            return {"age": answer}
        prompt = f"'{answer}' is not a valid age."


def test_a_form_asks_until_the_age_is_valid(database: sqlite3.Connection) -> None:
    builder = StateGraph(FormState).add_node("collect_age", get_age)
    builder.add_edge(START, "collect_age").add_edge("collect_age", END)
    graph = builder.compile(checkpointer=SqliteSaver(database))
    assert asked(graph.invoke({"age": None}, CONFIG)) == ["What is your age?"]
    retry = graph.invoke(Command(resume="thirty"), CONFIG)
    assert asked(retry) == ["'thirty' is not a valid age."]
    assert graph.invoke(Command(resume=30), CONFIG) == {"age": 30}


@dataclass
class ToolMessage:
    """Stands in for a message class of a model library."""

    content: str
    tool_calls: list[dict[str, Any]]


class AgentState(TypedDict):
    messages: list[Any]


def send_email(to: str, subject: str) -> str:
    response = interrupt({"action": "send_email", "to": to, "subject": subject})
    if response.get("action") == "approve":
        return f"Email sent to {response.get('to', to)}: {response.get('subject', subject)}"
    return "Email cancelled by user"


def test_a_tool_asks_before_it_acts(database: sqlite3.Connection) -> None:
    def agent(state: AgentState) -> dict[str, Any]:
        answer = {"role": "tool", "content": send_email("alice@example.com", "Meeting")}
        return {"messages": [*state["messages"], answer]}

    builder = StateGraph(AgentState).add_node("agent", agent)
    builder.add_edge(START, "agent").add_edge("agent", END)
    graph = builder.compile(checkpointer=SqliteSaver(database))
    initial = graph.invoke({"messages": [{"role": "user", "content": "Write to Alice"}]}, CONFIG)
    question = {"action": "send_email", "to": "alice@example.com", "subject": "Meeting"}
    assert asked(initial) == [question]
    answer = {"action": "approve", "subject": "Updated"}
    messages = graph.invoke(Command(resume=answer), CONFIG)["messages"]
    assert messages[-1]["content"] == "Email sent to alice@example.com: Updated"


def run_tool(call: dict[str, Any]) -> str:
    decision = interrupt({"tool": call["name"], "args": call["args"]})
    match decision["type"]:
        case "approve":
            return f"{call['name']} {call['args']}"
        case "edit":
            return f"{call['name']} {decision['args']}"
        case _:
            return "rejected"


def test_every_tool_call_of_a_message_is_reviewed() -> None:
    def executor(state: AgentState) -> dict[str, Any]:
        calls = state["messages"][-1].tool_calls
        return {"messages": [*state["messages"], *[run_tool(call) for call in calls]]}

    builder = StateGraph(AgentState).add_node("tools", executor)
    builder.add_edge(START, "tools").add_edge("tools", END)
    graph = builder.compile(checkpointer=InMemorySaver())
    calls = [{"name": name, "args": {"query": name}} for name in ("search", "read", "drop")]
    result = graph.invoke({"messages": [ToolMessage("", calls)]}, CONFIG)
    answers: list[dict[str, Any]] = [
        {"type": "approve"},
        {"type": "edit", "args": {"query": "modified"}},
        {"type": "reject"},
    ]
    for call, answer in zip(calls, answers, strict=True):
        assert asked(result) == [{"tool": call["name"], "args": call["args"]}]
        result = graph.invoke(Command(resume=answer), CONFIG)
    assert result["messages"][1:] == [
        "search {'query': 'search'}",
        "read {'query': 'modified'}",
        "rejected",
    ]


async def test_a_streamed_question_is_answered_in_the_next_stream(requests: Any) -> None:
    graph = requests.compile(checkpointer=MemorySaver())
    given: Any = GIVEN
    seen: list[Any] = []
    while given is not None:
        stream, given = graph.astream(given, CONFIG, stream_mode=["updates", "messages"]), None
        async for mode, chunk in stream:
            assert mode == "updates"
            if "__interrupt__" in chunk:
                given = Command(resume="yes")
            else:
                seen.append(chunk)
    assert seen[-1] == {"process": {"response": "Processed: deploy"}}


def test_names_are_asked_for_by_several_questions_in_order() -> None:
    class Person(TypedDict, total=False):
        name: str
        age: int
        city: str

    def node(state: Person) -> dict[str, Any]:
        return {key: interrupt(f"What's your {key}?") for key in ("name", "age", "city")}

    builder = StateGraph(Person).add_node("node", node).add_edge(START, "node")
    graph = builder.compile(checkpointer=MemorySaver())
    result = graph.invoke({}, CONFIG)
    for question, answer in (("name", "Ada"), ("age", 36), ("city", "London")):
        assert asked(result) == [f"What's your {question}?"]
        result = graph.invoke(Command(resume=answer), CONFIG)
    assert result == {"name": "Ada", "age": 36, "city": "London"}
