"""Programs whose runs store what they leave at different times: by step, or at their end alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.parity.cases.common import Log, add, chain
from tests.parity.engines import Client, Engine
from tests.parity.observe import checkpoint_id, everything, invoked, state, thread

Stored = list[dict[str, Any]]


class Thread:
    """One thread of graphs that are compiled on one saver; runs have the durability `how`."""

    def __init__(self, engine: Engine, how: str) -> None:
        self.engine, self.how = engine, how
        self.saver = engine.InMemorySaver()

    def compile(self, builder: Any, how: str = "", **options: Any) -> Client:
        return self.engine.compile(
            builder, durability=how or self.how, checkpointer=self.saver, **options
        )

    def left(self, client: Client) -> Any:
        """State and history of the thread, and all that the saver has of it."""
        return everything(client, thread()), self._stored()

    def _stored(self) -> list[Any]:
        """Of each checkpoint of each frame: where it is, what it is, its parent's place."""
        found = sorted(self.saver.list(thread()), key=lambda one: checkpoint_id(one.config))
        places = {checkpoint_id(one.config): place for place, one in enumerate(found)}
        return [
            (
                _path(one.config["configurable"]["checkpoint_ns"]),
                one.metadata["source"],
                one.metadata["step"],
                one.parent_config and places[checkpoint_id(one.parent_config)],
            )
            for one in found
        ]


def _path(ns: str) -> str:
    return "|".join(part.partition(":")[0] for part in ns.split("|"))


def failing(times: int) -> Callable[[Any], Any]:
    """A node that fails so many times, and then adds to the list."""
    begun: list[int] = []

    def node(state: Any) -> Any:
        begun.append(1)
        if len(begun) <= times:
            msg = "not yet"
            raise ValueError(msg)
        return {"xs": ["did"]}

    return node


def asking(engine: Engine, *questions: str) -> Callable[[Any], Any]:
    """A node that adds the answers to `questions` to the list."""
    return lambda _: {"xs": [engine.interrupt(question) for question in questions]}


def each(of: Thread, client: Client, *given: Any) -> list[Any]:
    """What each run gave, and what is stored after it."""
    return [(invoked(client, one), of.left(client)) for one in given]


def a_thread_of_several_runs(of: Thread) -> Any:
    client = of.compile(chain(of.engine, "a", "b"))
    return each(of, client, {"xs": ["i"]}, {"xs": ["j"]}, {})


def questions_and_answers(of: Thread) -> Any:
    answer = of.engine.Command
    client = of.compile(chain(of.engine, "a", "b", "c", b=asking(of.engine, "q", "r")))
    return each(
        of,
        client,
        {"xs": ["i"]},
        answer(resume="1"),
        answer(resume="2", update={"xs": ["u"]}),
    )


def failures(of: Thread) -> Any:
    client = of.compile(chain(of.engine, "a", "b", "c", b=failing(2), c=failing(1)))
    return each(of, client, {"xs": ["i"]}, None, None, {"xs": ["j"]})


def a_first_node_that_fails(of: Thread) -> Any:
    client = of.compile(chain(of.engine, "a", "b", a=failing(1)))
    return each(of, client, {"xs": ["i"]}, {"xs": ["j"]})


def static_breakpoints(of: Thread) -> Any:
    builder = chain(of.engine, "a", "b", "c", "d")
    client = of.compile(builder, interrupt_before=["b"], interrupt_after=["c"])
    return each(of, client, {"xs": ["i"]}, None, None, {"xs": ["j"]}, {"xs": ["k"]})


def a_limit_of_steps(of: Thread) -> Any:
    client = of.compile(chain(of.engine, "a", "b", "c"))
    stopped = invoked(client, {"xs": ["i"]}, thread(recursion_limit=2))
    return [stopped, of.left(client), *each(of, client, None)]


def forks_and_updates(of: Thread) -> Any:
    """Runs from what another run has stored step by step."""
    builder = chain(of.engine, "a", "b", "c")
    whole, client = of.compile(builder, "sync"), of.compile(builder)
    whole.invoke({"xs": ["i"]}, thread())
    old = whole.history(thread())[2].config
    seen = [invoked(client, None, old), of.left(client)]
    updated = client.update_state(whole.history(thread())[2].config, {"xs": ["u"]}, "a")
    seen += [invoked(client, None, updated), of.left(client)]
    client.update_state(thread(), {"xs": ["v"]}, "a")
    seen += each(of, client, None)
    return [*seen, invoked(client, {"xs": ["at"]}, old), of.left(client)]


def what_a_run_sees_of_itself(of: Thread) -> Any:
    """Before its end a run that stores nothing finds what the one before it has left."""
    seen: list[Any] = []
    clients: list[Client] = []

    def look(given: Any) -> Any:
        if of.how == "exit" and not of.engine.asynchronous:
            seen.append((state(clients[0].get_state(thread())), of.left(clients[0])))
        return {"xs": ["looked"]}

    clients.append(of.compile(chain(of.engine, "a", "b", b=look)))
    return [each(of, clients[0], {"xs": ["i"]}, {"xs": ["j"]}), seen]


def around(of: Thread, inside: Any) -> Client:
    """A graph that has `inside` as its second node."""
    return of.compile(chain(of.engine, "a", "sub", "z", sub=inside))


def _forms(of: Thread) -> tuple[bool | None, ...]:
    # The reference cannot save before the next superstep where a graph inside keeps nothing.
    return (None, True) if of.how == "sync" else (None, True, False)


def graphs_inside_that_finish(of: Thread) -> Any:
    return [
        each(one, around(one, inside.compile(checkpointer=form)), {"xs": ["i"]}, {"xs": ["j"]})
        for form in _forms(of)
        for one in (Thread(of.engine, of.how),)
        for inside in (chain(of.engine, "x", "y"),)
    ]


def graphs_inside_that_ask(of: Thread) -> Any:
    seen = []
    for form in (None, True):
        one = Thread(of.engine, of.how)
        inside = chain(of.engine, "x", "y", "w", y=asking(of.engine, "q", "r"))
        client = around(one, inside.compile(checkpointer=form))
        answers = (of.engine.Command(resume=n) for n in (1, 2))
        seen.append(each(one, client, {"xs": ["i"]}, *answers, {"xs": ["j"]}))
    return seen


def graphs_inside_that_fail(of: Thread) -> Any:
    seen = []
    for form in _forms(of):
        one = Thread(of.engine, of.how)
        inside = chain(of.engine, "x", "y", y=failing(1))
        seen.append(each(one, around(one, inside.compile(checkpointer=form)), {"xs": ["i"]}, None))
    return seen


def a_graph_inside_two_others(of: Thread) -> Any:
    seen = []
    for forms in ((None, None), (None, True), (True, None)):
        one = Thread(of.engine, of.how)
        deep = chain(of.engine, "x", "y", y=asking(of.engine, "q")).compile(checkpointer=forms[0])
        middle = chain(of.engine, "m", "deep", deep=deep).compile(checkpointer=forms[1])
        client = around(one, middle)
        seen.append(each(one, client, {"xs": ["i"]}, of.engine.Command(resume="r")))
    return seen


def a_graph_inside_that_is_left(of: Thread) -> Any:
    command = of.engine.Command
    leaves = lambda _: command(graph=command.PARENT, goto="z", update={"xs": ["left"]})  # noqa: E731
    inside = chain(of.engine, "x", "y", y=leaves).compile()
    builder = of.engine.StateGraph(Log)
    builder.add_node("sub", inside).add_node("z", add("z")).add_edge(of.engine.START, "sub")
    return each(of, of.compile(builder), {"xs": ["i"]})


def a_call_with_a_durability_of_its_own(of: Thread) -> Any:
    inside = chain(of.engine, "x", "y").compile()
    other = "sync" if of.how == "exit" else "exit"

    def sub(given: Any) -> Any:
        return {"xs": [len(inside.invoke({"xs": ["in"]}, durability=other)["xs"])]}

    async def asub(given: Any) -> Any:
        return {"xs": [len((await inside.ainvoke({"xs": ["in"]}, durability=other))["xs"])]}

    return each(of, around(of, asub if of.engine.asynchronous else sub), {"xs": ["i"]})


PROGRAMS = (
    a_thread_of_several_runs,
    questions_and_answers,
    failures,
    a_first_node_that_fails,
    static_breakpoints,
    a_limit_of_steps,
    forks_and_updates,
    what_a_run_sees_of_itself,
    graphs_inside_that_finish,
    graphs_inside_that_ask,
    graphs_inside_that_fail,
    a_graph_inside_two_others,
    a_graph_inside_that_is_left,
    a_call_with_a_durability_of_its_own,
)
