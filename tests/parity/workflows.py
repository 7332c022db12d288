"""Workflows as data: what calls what, asks, fails and streams, built and run on any engine."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, outcome, shown, state, thread

MOST_GOINGS_ON = 12


@dataclass(frozen=True, slots=True)
class Ask:
    """A question."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk for the custom stream."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, which runs `steps`, and fails so many times before.

    `retries`: a policy tries it once more. `caught`: its caller goes on without it. `left`: its
    caller does not wait for it.
    """

    steps: tuple[Step, ...] = ()
    fails: int = 0
    retries: bool = False
    caught: bool = False
    left: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """Calls that are begun before the first of them is waited for."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """A workflow that is called where it stands."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph of one node, which asks, or calls a function."""

    asks: bool


Step = Ask | Chunk | Call | Together | Inside | Graph


@dataclass(frozen=True, slots=True)
class Workflow:
    """`saves`: it returns something else than it saves. `retries`: a policy tries it once more."""

    steps: tuple[Step, ...]
    saves: bool = False
    retries: bool = False


class Waiting(TypedDict):
    made: Annotated[list[Any], lambda old, new: [*old, *new]]


@dataclass(slots=True)
class Built:
    """A workflow as functions of one engine; `log` has the place of all that ran."""

    engine: Engine
    log: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def compile(self, workflow: Workflow, **options: Any) -> Any:
        policy = self._policy() if workflow.retries else None
        made = self.engine.entrypoint(retry_policy=policy, **options)
        return made(self._main(workflow))

    def _main(self, workflow: Workflow) -> Any:
        steps = self._steps(workflow.steps, "main")
        final = self.engine.entrypoint.final

        def left(x: Any, previous: Any, done: list[Any]) -> Any:
            value = [x, previous, done]
            return final(value=value, save=len(done)) if workflow.saves else value

        def main(x: Any, *, previous: Any = None) -> Any:
            self.note("main")
            return left(x, previous, _carried(steps()))

        async def amain(x: Any, *, previous: Any = None) -> Any:
            self.note("main")
            return left(x, previous, await _acarried(steps()))

        amain.__name__ = "main"
        return amain if self.engine.asynchronous else main

    def note(self, place: str) -> int:
        """Note that something runs; return how often it has."""
        with self.lock:
            self.log.append(place)
            return self.log.count(place)

    def _policy(self) -> Any:
        return self.engine.RetryPolicy(
            initial_interval=0, max_attempts=2, jitter=False, retry_on=ValueError
        )

    # --- steps ---------------------------------------------------------------------------------

    def _steps(self, steps: tuple[Step, ...], place: str) -> Callable[[], Steps]:
        made = [self._step(step, f"{place}.{n}") for n, step in enumerate(steps)]

        def run() -> Steps:
            found = []
            for each in made:
                found.append((yield from each()))  # noqa: PERF401 it yields
            return found

        return run

    def _step(self, step: Step, place: str) -> Callable[[], Steps]:
        match step:
            case Ask():
                return lambda: _given(lambda: self.engine.interrupt(place))
            case Chunk():
                return lambda: _given(lambda: self.engine.get_stream_writer()(place))
            case Call():
                return self._call(step, self._function(step, place))
            case Together(calls):
                return self._together(calls, place)
            case Inside(steps):
                return self._inside(steps, place)
            case Graph():
                return self._graph(step, place)

    def _function(self, call: Call, place: str) -> Any:
        steps = self._steps(call.steps, place)

        def check() -> None:
            if self.note(place) <= call.fails:
                raise ValueError(place)

        def function(x: Any) -> Any:
            check()
            return [x, *_carried(steps())]

        async def afunction(x: Any) -> Any:
            check()
            return [x, *await _acarried(steps())]

        policy = self._policy() if call.retries else None
        # Every second one blocks where the rest are coroutines, as long as it calls none.
        blocks = not call.steps and len(place) % 2
        asynchronous = self.engine.asynchronous and not blocks
        made = self.engine.task(name=f"f{place}", retry_policy=policy)
        return made(afunction if asynchronous else function)

    def _call(self, call: Call, function: Any) -> Callable[[], Steps]:
        def run() -> Steps:
            future = function("x")
            return (yield from self._waited(call, future))

        return run

    def _waited(self, call: Call, future: Any) -> Steps:
        if call.left:
            return "left"
        try:
            return (yield future)
        except ValueError as error:
            if not call.caught:
                raise
            return f"caught {error}"

    def _together(self, calls: tuple[Call, ...], place: str) -> Callable[[], Steps]:
        made = [self._function(call, f"{place}.{n}") for n, call in enumerate(calls)]

        def run() -> Steps:
            futures = [function(n) for n, function in enumerate(made)]
            found = []
            for call, future in zip(calls, futures, strict=True):
                found.append((yield from self._waited(call, future)))
            return found

        return run

    def _inside(self, steps: tuple[Step, ...], place: str) -> Callable[[], Steps]:
        own = self._steps(steps, place)

        def inner(x: Any) -> Any:
            self.note(place)
            return [x, *_carried(own())]

        async def ainner(x: Any) -> Any:
            self.note(place)
            return [x, *await _acarried(own())]

        ainner.__name__ = "inner"
        made = self.engine.entrypoint()(ainner if self.engine.asynchronous else inner)
        return self._invoked(made, "in")

    def _graph(self, graph: Graph, place: str) -> Callable[[], Steps]:
        function = self._function(Call(), place)

        def node(_: Waiting) -> Any:
            self.note(f"{place}.node")
            return {"made": [self.engine.interrupt(place) if graph.asks else function(1).result()]}

        async def anode(_: Waiting) -> Any:
            self.note(f"{place}.node")
            return {"made": [self.engine.interrupt(place) if graph.asks else await function(1)]}

        builder = self.engine.StateGraph(Waiting)
        builder.add_node("node", anode if self.engine.asynchronous else node)
        builder.add_edge(self.engine.START, "node")
        return self._invoked(builder.compile(), {"made": []})

    def _invoked(self, graph: Any, given: Any) -> Callable[[], Steps]:
        if self.engine.asynchronous:
            return lambda: _waiting(graph.ainvoke(given))
        return lambda: _given(lambda: graph.invoke(given))


Steps = Generator[Any, Any, Any]
"""Yields what is to be waited for: a future or a coroutine."""


def _given(call: Callable[[], Any]) -> Steps:
    yield from ()
    return call()


def _waiting(something: Any) -> Steps:
    return (yield something)


def _carried(steps: Steps) -> Any:
    try:
        future = next(steps)
        while True:
            try:
                value = future.result()
            except BaseException as error:  # noqa: BLE001 the step decides what it means
                future = steps.throw(error)
            else:
                future = steps.send(value)
    except StopIteration as stop:
        return stop.value


async def _acarried(steps: Steps) -> Any:
    try:
        future = next(steps)
        while True:
            try:
                value = await future
            except BaseException as error:  # noqa: BLE001 the step decides what it means
                future = steps.throw(error)
            else:
                future = steps.send(value)
    except StopIteration as stop:
        return stop.value


@dataclass(frozen=True, slots=True)
class Compiling:
    """What an engine takes for a builder."""

    built: Built
    workflow: Workflow

    def compile(self, **options: Any) -> Any:
        return self.built.compile(self.workflow, **options)


def begun(engine: Engine, workflow: Workflow) -> tuple[Built, Client]:
    """Return the workflow and its client on `engine`."""
    built = Built(engine)
    return built, engine.compile(Compiling(built, workflow))


def run(engine: Engine, workflow: Workflow) -> dict[str, Any]:
    """What is to be seen of two runs on a thread, each answered and tried again to its end."""
    built, client = begun(engine, workflow)
    seen = [
        each
        for given in ("one", "two")
        for each in _run(engine, client, given, lambda x: outcome(lambda: client.invoke(x, T)))
    ]
    past = everything(client, T)["history"]
    for each in past:
        each["asked"] = [(name, _once(questions)) for name, questions in each["asked"]]
    # A graph that asks is not run again there by the answer to another one.
    ran = Counter(place for place in built.log if not place.endswith(".node"))
    return {"calls": seen, "ran": ran, "history": past}


T = thread()


def _run(
    engine: Engine, client: Client, given: Any, call: Callable[[Any], Any]
) -> Generator[Any, None, None]:
    """Yield what `call` shows of a run, of its answers and of its further tries, and the states."""
    ended = call(given)
    yield _said(ended)
    for n in range(MOST_GOINGS_ON):
        snapshot = client.get_state(T)
        if not snapshot.next:
            return
        # The reference shows what a task asked before it failed; here that is answered.
        asked = () if _has_failed(ended) else snapshot.interrupts
        yield _standing(snapshot) if asked else snapshot.values
        answer = {asked[0].id: f"a{n}"} if asked else None
        ended = call(engine.Command(resume=answer) if answer else None)
        yield _said(ended)


def _said(ended: Any) -> Any:
    if isinstance(ended, dict) and "__interrupt__" in ended:
        return {**ended, "__interrupt__": _once(ended["__interrupt__"])}
    return ended


def _standing(snapshot: Any) -> dict[str, Any]:
    """What is to be seen of a thread that asks; the reference lists some questions twice."""
    seen = state(snapshot)
    tasks = [{**each, "interrupts": _once(each["interrupts"])} for each in seen["tasks"]]
    return {**seen, "tasks": tasks, "interrupts": sum(len(each["interrupts"]) for each in tasks)}


def _once(questions: Any) -> list[Any]:
    return [each for n, each in enumerate(questions) if each not in questions[:n]]


def _has_failed(ended: Any) -> bool:
    return isinstance(ended, dict) and "error" in ended


def streamed(engine: Engine, workflow: Workflow) -> list[Any]:
    """What a run streams, with its answers and further tries: of every mode and namespace."""
    _, client = begun(engine, workflow)
    modes = ["values", "updates", "custom", "tasks"]

    def call(given: Any) -> Any:
        chunks: list[Any] = []

        def told() -> str:
            for ns, mode, chunk in client.stream(given, T, stream_mode=modes, subgraphs=True):
                chunks.append((_path(ns), mode, _told(mode, chunk)))
            return "ended"

        ended = outcome(told)
        return {**(ended if _has_failed(ended) else {}), "chunks": chunks}

    return list(_run(engine, client, "one", call))


def _path(ns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.partition(":")[0] for part in ns)


def _told(mode: str, chunk: Any) -> Any:
    if mode != "tasks":
        return _said(shown(chunk))
    kept = {"name", "input", "triggers", "result"} & chunk.keys()
    asked = _once([shown(each["value"]) for each in chunk.get("interrupts", ())])
    return {key: shown(chunk[key]) for key in kept} | {"asks": asked, "fails": _fails(chunk)}


def _fails(chunk: Any) -> bool:
    return chunk.get("error") is not None
