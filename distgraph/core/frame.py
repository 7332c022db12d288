"""What a running task carries with it: its answers, its questions, the graphs inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from distgraph.core.model import Answer, Question, Task, ThreadState
from distgraph.core.plan import digest
from distgraph.errors import GraphInterrupt
from distgraph.types import Interrupt, Runtime


@dataclass(slots=True)
class TaskFrame:
    """The state of one attempt at one task; only the code of that attempt touches it.

    ``token`` makes the ids of this attempt's questions its own. ``frames`` holds the states of the
    graphs that are called inside the task, by ns: what earlier attempts left, then what this one
    leaves. ``passes`` are the exception types that must leave the task unchanged.
    """

    task: Task
    ns: str
    token: str
    runtime: Runtime[Any]
    config: dict[str, Any]
    can_pause: bool
    emit: Callable[[Any], None]
    answers: tuple[Answer, ...] = ()
    frames: dict[str, ThreadState] = field(default_factory=dict)
    passes: tuple[type[BaseException], ...] = (KeyboardInterrupt,)
    parents: Mapping[str, str] = field(default_factory=dict)
    calls: int = 0
    asked: int = 0
    pending: list[Question] = field(default_factory=list)

    def ask(self, value: Any) -> Any:
        """Return the next answer, or raise GraphInterrupt with the question."""
        own = [answer.value for answer in self.answers if answer.ns == self.ns]
        index, self.asked = self.asked, self.asked + 1
        if index < len(own):
            return own[index]
        if not self.can_pause:
            msg = (
                "interrupt() needs a checkpointer, or nobody could ever resume this run: "
                "compile the graph with checkpointer=... or backend=..."
            )
            raise RuntimeError(msg)
        question = Interrupt(value, digest(self.task.id, str(index), self.token))
        self.pause((Question(question, self.ns),))

    def pause(self, questions: tuple[Question, ...]) -> NoReturn:
        """Leave the node with ``questions`` pending, its own or those of a graph called in it."""
        self.pending += questions
        raise GraphInterrupt(tuple(question.interrupt for question in questions))

    def child_ns(self) -> str:
        """Return the namespace for the next graph that is called inside this task."""
        index, self.calls = self.calls, self.calls + 1
        own = self.own_ns
        return f"{own}|{index}" if index else own

    @property
    def own_ns(self) -> str:
        """The namespace of the task itself: what graphs called inside it hang on."""
        name = f"{self.task.node}:{self.task.id}"
        return f"{self.ns}|{name}" if self.ns else name
