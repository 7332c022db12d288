"""What a running task carries: its run, its answers, its questions, the graphs inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from distgraph._deadline import Deadline, moment
from distgraph._response import Response
from distgraph._runtime import ExecutionInfo, RunControl, Runtime, ServerInfo, no_heartbeat
from distgraph.core.beside import AttemptLimit, Watch
from distgraph.core.graph import Graph, Node
from distgraph.core.model import (
    PREVIOUS,
    START,
    Answer,
    Checkpoint,
    Errored,
    Expired,
    Question,
    Slot,
    Task,
    Write,
)
from distgraph.core.questions import (
    HOME,
    Inquiry,
    Lane,
    Lanes,
    OneLane,
    question_place,
)
from distgraph.core.recall import Recall
from distgraph.core.standing import Replay, Risen
from distgraph.errors import GraphInterrupt, InterruptTimeout, NodeError
from distgraph.types import Durability, Interrupt

CallArguments = tuple[tuple[Any, ...], dict[str, Any]]
"""What a function is called with: by position, and by name."""


def discard(_chunk: Any) -> None:
    """Take a custom chunk that nobody streams."""


def unseen(_value: Any) -> str:
    """Return the digest of what need not be told from anything else."""
    return ""


class Frames(Protocol):
    """Where the graphs that are called inside a task are kept."""

    def for_graph(self, graph: Graph) -> Any:
        """Return the saver for a frame of ``graph``, which may decode the classes of its state.

        Called once per call. It has ``get_tuple``, ``list``, ``put`` and ``put_writes`` of a
        BaseCheckpointSaver, and where the caller is a coroutine those with an ``a``; a config's
        ``checkpoint_ns`` names the frame.
        """
        ...

    def dispatches(self, frame: TaskFrame, graph: Graph, ns: str) -> bool:
        """Whether tasks of ``graph``, called by the task of ``frame`` at ``ns``, are run by others.

        The saver then has ``park``, which leaves the task.
        """
        ...

    def risen(self, ns: str) -> Risen | None:
        """Return how the frame ``ns`` was left by others who ran its tasks; None where not."""
        ...


class Functions(Protocol):
    """What runs the functions that a task calls, each as a task of its own."""

    def begin(self, caller: TaskFrame, node: Node, given: CallArguments) -> Any:
        """Begin a call of ``node``; return a future of what it returns."""
        ...


class GraphCalls(Protocol):
    """What has others run the graphs that a task calls; None where the task is to do it itself."""

    def begin_graph(self, caller: TaskFrame, called: Any, given: CallArguments) -> Any | None:
        """Begin a call of the compiled graph ``called``; return a future of what it returns.

        ValueError for one that others do not know.
        """
        ...

    async def abegin_graph(self, caller: TaskFrame, called: Any, given: CallArguments) -> Any:
        """Do what ``begin_graph`` does."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """The task that asks for a graph which keeps nothing itself, called in a ``lane`` of it."""

    frame: TaskFrame
    lane: Lane = HOME


@dataclass(frozen=True, slots=True)
class Invocation:
    """What every task of a run is told: the caller's config and context, and whose run it is.

    ``thread_id`` is None where nothing is kept and the caller named none. ``durable`` says whether
    there is a checkpointer, so that a pause can be resumed. ``asker`` asks what a graph asks that
    keeps nothing itself. ``claims`` are the called graphs of the run that several tasks could call:
    (ns, checkpoint of a frame around) -> task of it. ``round`` is the same for attempts that repeat
    one another, and another one where somebody has gone on with the thread in between.
    ``asks_again``: what waits inside is asked again, since the run goes on without an answer.
    ``hears``: somebody is shown what models and tools tell.
    ``control`` may ask the run to stop; None where others run its tasks. ``store`` is what nodes
    are given as such, ``cache`` finds what those have left before that say when it counts again.
    ``durability`` says when it is stored.
    ``answers_stay`` where an answer that does not fit cannot be taken back: its question is asked
    under another id then.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    context: Any = None
    thread_id: str | None = None
    run_id: str | None = None
    durable: bool = False
    asker: Asker | None = None
    replay: Replay | None = None
    round: str = ""
    asks_again: bool = False
    answers_stay: bool = False
    hears: bool = False
    control: RunControl | None = None
    store: Any = None
    cache: Recall | None = None
    durability: Durability = "sync"
    claims: dict[tuple[str, str], str] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class TaskFrame:
    """One attempt at one task; only the code of that attempt touches it.

    ``stop``: the last step that the run may take.

    ``token`` makes the ids of this attempt's questions its own, ``digest`` tells their values from
    one another. ``frames`` keeps the graphs that
    are called inside the task; None when nothing is kept. ``failed`` is what such a graph has
    failed with where others ran it. ``lanes`` know who asks, ``inquiry`` what
    was asked; ``pending`` has no answer. ``calls`` counts these calls, and
    ``taken`` are the names of their frames. ``functions`` runs what the task calls by ``task()``,
    which ``called`` counts; what is asked there is ``heard``, by the ids of the questions.
    ``untaken`` are the questions whose answers do not fit, with what was raised for it; ``refused``
    is what was raised for such an answer in a graph or function called inside.
    ``graphs`` takes calls of graphs that others are to run; None where nobody else is there.
    ``passes`` are the exception types that must leave the task unchanged. ``began``: when the first
    attempt at it did, in seconds since 1970. ``handled`` is the failure that an error handler gets,
    ``limit`` that of the attempt's time.
    ``watch`` hears how the node begins and ends, and has made ``callbacks`` for its config.
    ``speak`` shows a message, with what stands with it and whether it is whole; None: to nobody.
    ``pushed`` is what the node has written before it returns, ``state`` what an edge would bring.
    """

    task: Task
    checkpoint: Checkpoint
    ns: str
    token: str
    invocation: Invocation
    emit: Callable[[Any], None] = discard
    publish: Callable[[Any], None] | None = None
    attempt: int = 1
    began: float | None = None
    handled: NodeError | None = None
    limit: AttemptLimit | None = None
    answers: tuple[Answer, ...] = ()
    frames: Frames | None = None
    passes: tuple[type[BaseException], ...] = (KeyboardInterrupt,)
    graph: Graph | None = None
    stop: int = 0
    lanes: Lanes = field(default_factory=OneLane)
    digest: Callable[[Any], str] = unseen
    calls: int = 0
    inquiry: Inquiry | None = None
    pending: list[Question] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    failed: Errored | None = None
    functions: Functions | None = None
    called: int = 0
    heard: dict[str, Question] = field(default_factory=dict)
    untaken: list[tuple[BaseException, Question]] = field(default_factory=list)
    refused: Errored | None = None
    graphs: GraphCalls | None = None
    watch: Watch | None = None
    callbacks: Mapping[str, Any] = field(default_factory=dict)
    speak: Callable[[Any, Mapping[str, Any], bool], None] | None = None
    pushed: list[Write] = field(default_factory=list)
    state: Callable[[], Any] = dict

    def call(self, node: Node, given: CallArguments) -> Any:
        """Begin a call of the function that ``node`` runs; return a future of what it returns.

        Raises RuntimeError where nothing can be called: in path functions of an input's edges.
        """
        if self.functions is None:
            msg = (
                f"'{node.name}' was called outside of a task: call it in an entrypoint, in another "
                "task or in a node."
            )
            raise RuntimeError(msg)
        self.progressed()
        return self.functions.begin(self, node, given)

    def progressed(self) -> None:
        """Take note that something called here makes progress."""
        if self.limit is not None:
            self.limit.progressed()

    def ask(
        self, value: Any, deadline: Deadline | None = None, response: Response | None = None
    ) -> Any:
        """Return the answer to this question, or raise GraphInterrupt with it.

        Raises InterruptTimeout where its deadline is over, and nothing stands for an answer, and
        what ``response`` raises for one that does not fit.
        """
        lane, outer = self.lanes.lane(), self.invocation.asker
        if outer is None:
            return self.ask_in(lane, value, deadline, response)
        return outer.frame.ask_in((*outer.lane, self._name, *lane), value, deadline, response)

    def ask_in(
        self,
        lane: Lane,
        value: Any,
        deadline: Deadline | None = None,
        response: Response | None = None,
    ) -> Any:
        """Do what ``ask`` does for who is in ``lane`` of this task."""
        with self.lanes.lock:
            inquiry = self._known()
            answer = inquiry.only(lane)
        if answer is not None:
            return self._taken(answer, value, deadline, response)
        seen = self.digest(value)
        with self.lanes.lock:
            slot = inquiry.slot(lane, seen)
            answer = inquiry.take(slot)
        if answer is not None:
            return self._taken(answer, value, deadline, response)
        if not self.invocation.durable:
            msg = (
                "interrupt() needs a checkpointer, or nobody could ever resume this run: "
                "compile the graph with checkpointer=... or backend=..."
            )
            raise RuntimeError(msg)
        iid = inquiry.id(self.task.id, slot, self.token)
        self.pause((self._question(iid, slot, value, deadline, response),))
        return None

    def _question(
        self,
        iid: str,
        slot: Slot,
        value: Any,
        deadline: Deadline | None,
        response: Response | None,
    ) -> Question:
        until = moment(deadline.at) if deadline and deadline.at else None
        asked = Interrupt(value, iid, until, response.schema if response else None)
        place = question_place(self.task.id, slot) if deadline else ""
        return Question(asked, self._asks_in, deadline, place, slot)

    def _taken(
        self, answer: Answer, value: Any, deadline: Deadline | None, response: Response | None
    ) -> Any:
        """Return what an answer is to who asks; one that does not fit leaves its question open."""
        if response is None or isinstance(answer.value, Expired):
            return self._given(answer.value)
        try:
            return response.read(answer.value)
        except ValueError as error:
            iid, slot = answer.id, answer.slot
            if self.invocation.answers_stay:
                iid = self._known().id(self.task.id, slot, self.token)
            question = self._question(iid, slot, value, deadline, response)
            self.untaken.append((error, question))
            raise

    def _known(self) -> Inquiry:
        if self.inquiry is None:
            own = [answer for answer in self.answers if answer.ns == self._asks_in]
            self.inquiry = Inquiry(own)
        return self.inquiry

    @property
    def _asks_in(self) -> str:
        """The namespace by which its answers are known among those of the task around.

        That of a called function, or of an error handler, is numbered 0, as no graph is that a task
        calls.
        """
        is_planned = self.task.caller is None and self.task.handles is None
        return self.ns if is_planned else f"{self.own_ns}|0"

    def _given(self, answer: Any) -> Any:
        if not isinstance(answer, Expired):
            return answer
        if answer.fails:
            msg = f"Nobody answered what node '{self.task.node}' asks before its deadline."
            raise InterruptTimeout(msg)
        return answer.default

    @property
    def _name(self) -> str:
        """What the task is called among those of its graph, in every attempt at them."""
        return f"{self.checkpoint.step + 1}{_name_in_step(self.task)}"

    @property
    def asker(self) -> Asker:
        """Who asks for a graph called here that keeps nothing itself."""
        lane, outer = self.lanes.lane(), self.invocation.asker
        return Asker(outer.frame, (*outer.lane, self._name, *lane)) if outer else Asker(self, lane)

    def pause(self, questions: tuple[Question, ...], refused: Errored | None = None) -> NoReturn:
        """Leave the node with ``questions`` pending, its own or those of a graph called in it.

        ``refused``: why an answer to one of those was not taken.
        """
        self.pending.extend(questions)
        self.refused = self.refused or refused
        raise GraphInterrupt(tuple(question.interrupt for question in questions))

    @property
    def own_ns(self) -> str:
        """The namespace of the task itself: what graphs called inside it hang on."""
        return self._ns_of(self.task)

    def _ns_of(self, task: Task) -> str:
        return f"{self.ns}|{task.place}" if self.ns else task.place

    @property
    def parents(self) -> Mapping[str, str]:
        """The checkpoint of every frame around a graph called here: ns -> checkpoint id.

        What a task calls as functions stands among these frames, at the checkpoint of the task.
        """
        around, caller = [], self.task.caller
        while caller is not None:
            around.append(self._ns_of(caller))
            caller = caller.caller
        names = (self.ns, *reversed(around))
        return {**self.checkpoint.parents, **dict.fromkeys(names, self.checkpoint.id)}

    def begins(self, given: Any) -> None:
        """Tell who watches that the node begins."""
        if self.watch is not None:
            own = self.config
            thread, outermost = self._named_thread, self.own_ns.partition("|")[0]
            metadata = {**thread, **own["metadata"], "checkpoint_ns": outermost}
            told = {**own, "metadata": metadata}
            self.callbacks = {"callbacks": self.watch.began(told, self.task.node, given)}

    def enters(self) -> None:
        """Tell who watches that code of the user's begins, in a context that is its own."""
        if self.watch is not None:
            self.watch.enters()

    @property
    def config(self) -> dict[str, Any]:
        """The config that the node gets: the caller's, plus where it runs."""
        given = self.invocation.config
        return {
            **given,
            **self.callbacks,
            "metadata": {
                **given.get("metadata", {}),
                "langgraph_step": self.checkpoint.step + 1,
                "langgraph_node": self.task.node,
                "langgraph_triggers": self.triggers,
                "langgraph_path": self.task.path,
                "langgraph_checkpoint_ns": self.own_ns,
            },
            "configurable": {
                **given.get("configurable", {}),
                **self._named_thread,
                "checkpoint_ns": self.own_ns,
                "checkpoint_id": None,
                "checkpoint_map": dict(self.parents),
            },
        }

    @property
    def previous(self) -> Any:
        """What the run of a workflow before this one has saved; None in other graphs."""
        return self.checkpoint.values.get(PREVIOUS)

    @property
    def _named_thread(self) -> Mapping[str, str]:
        thread = self.invocation.thread_id
        return {} if thread is None else {"thread_id": thread}

    @property
    def triggers(self) -> tuple[str, ...]:
        """What may make the task run, in LangGraph's spelling."""
        return triggers(self.task, self.graph)

    @property
    def runtime(self) -> Runtime[Any]:
        """What a node that asks for a Runtime gets."""
        return Runtime(
            context=self.invocation.context,
            store=self.invocation.store,
            stream_writer=self.emit,
            heartbeat=self.limit.beat if self.limit else no_heartbeat,
            previous=self.previous,
            execution_info=ExecutionInfo(
                checkpoint_id=self.checkpoint.id,
                checkpoint_ns=self.own_ns,
                task_id=self.task.id,
                thread_id=self.invocation.thread_id,
                run_id=self.invocation.run_id,
                node_attempt=self.attempt,
                node_first_attempt_time=self.began,
            ),
            server_info=_server_info(self.invocation.config.get("configurable", {})),
            control=self.invocation.control,
        )


def _server_info(given: Mapping[str, Any]) -> ServerInfo | None:
    assistant, graph = given.get("assistant_id"), given.get("graph_id")
    if assistant is None and graph is None:
        return None
    return ServerInfo(str(assistant or ""), str(graph or ""), given.get("langgraph_auth_user"))


def _name_in_step(task: Task) -> str:
    if task.caller is not None:
        return f"{_name_in_step(task.caller)}>{task.index}"
    return f"@{task.node}" if task.send is None else f"#{task.index}"


def triggers(task: Task, graph: Graph | None = None) -> tuple[str, ...]:
    """Return what may make ``task`` run, in LangGraph's spelling; without ``graph`` no joins."""
    if task.send is not None or task.handles is not None:
        return ("__pregel_push",)
    if task.node == START or (graph is not None and task.node == graph.entry):
        return (START,)
    if graph is not None and (own := graph.nodes[task.node].triggers):
        return own
    joins = (join.name for join in graph.joins if join.target == task.node) if graph else ()
    return (f"branch:to:{task.node}", *sorted(joins))
