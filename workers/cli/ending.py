"""How a run ended: waiting for it without graph code, and saying so."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from checkpoint_redis.layout import RunStatus
from checkpoint_redis.readings import RunOutcome
from distgraph.core.model import ThreadState
from distgraph.core.resume import pending
from distgraph.errors import ThreadNotFound
from distgraph.types import Interrupt

from ..backend import CeleryBackend
from ..client.thread import ThreadHandle
from ..shared.serving import serves
from .exits import Exit, complain
from .facts import asks_of, until
from .health import label, living
from .screen import Screen, as_json, plain

UNDER_WAY = frozenset({RunStatus.pending})
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
PATIENCE = 2.0
_CODES: Mapping[str, Exit] = {RunStatus.success: Exit.OK, RunStatus.interrupted: Exit.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that is over; ``error`` says in words why it failed."""

    thread_id: str
    run: str
    status: str
    error: str = ""
    values: Any = None
    interrupts: tuple[Interrupt, ...] = ()

    @property
    def code(self) -> Exit:
        """The exit code that it means."""
        return _CODES.get(self.status, Exit.FAILED)

    @property
    def data(self) -> dict[str, Any]:
        """What programs are told."""
        return {
            "thread": self.thread_id,
            "run": self.run,
            "status": self.status,
            "error": self.error or None,
            "values": self.values,
            "interrupts": asks_of(self.interrupts),
        }


@contextmanager
def goes_on(thread_id: str, target: str = "") -> Iterator[None]:
    """Say what becomes of the run that a command waits for, when Ctrl-C ends the command."""
    try:
        yield
    except KeyboardInterrupt:
        name = shlex.quote(thread_id)
        follow = f"distgraph follow {name}" + (f" --target {target}" if target else "")
        complain(
            f"The run goes on. Follow it with: {follow} - end it with: distgraph cancel {name}"
        )
        raise


def wait(backend: CeleryBackend, thread_id: str, run: str) -> Ending:
    """Wait until a run is over, looking at its outcome alone; ThreadNotFound when it is gone.

    When it takes long because no worker serves the graph, that is said once.
    """
    with goes_on(thread_id):
        outcome = _ended(backend, thread_id, run)
    thread = backend.thread(thread_id)
    state, error = thread.state, _why(backend, thread, outcome)
    values = shown(state.checkpoint.values)
    return Ending(thread_id, run, outcome.status, error, values, asked(state))


def _why(backend: CeleryBackend, thread: ThreadHandle, outcome: RunOutcome) -> str:
    if not outcome.error:
        return ""
    error = backend.registry.common_wire().of(thread.graph).read_error(outcome.error)
    return in_words(error.kind.rpartition(".")[2], error.message, error.notes)


def in_words(kind: str, message: str, notes: Iterable[str]) -> str:
    """Say why a run failed, with what was noted of it: its node, and what to do."""
    noted = [note for note in notes if not note.startswith("Traceback")]
    return f"{kind}: {message}" + (f" ({'; '.join(noted)})" if noted else "")


def _ended(backend: CeleryBackend, thread_id: str, run: str) -> RunOutcome:
    pause, clock, patient = FIRST_PAUSE, Clock(), True
    while (outcome := _outcome(backend, thread_id, run)).status in UNDER_WAY:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        if patient and clock.seconds > PATIENCE:
            patient = False
            _complain_if_unserved(backend, thread_id)
    return outcome


def _complain_if_unserved(backend: CeleryBackend, thread_id: str) -> None:
    header = backend.ledger.any_header(backend.thread_key(thread_id))
    if header is not None and not serves(living(backend), header.graph, header.fp, header.format):
        start = "Start one: distgraph worker MODULE:GRAPH"
        complain(f"It waits: no live worker serves graph {label(header)}. {start}")


def _outcome(backend: CeleryBackend, thread_id: str, run: str) -> RunOutcome:
    """Return how a run stands; of one that joined another, how that one stands."""
    outcome = backend.ledger.outcome(backend.thread_key(thread_id), run)
    if outcome is None:
        raise ThreadNotFound(f"Run {run} of thread {thread_id[:200]!r} is not known any more.")
    if outcome.status is RunStatus.joined:
        return _outcome(backend, thread_id, outcome.cp)
    return outcome


def asked(state: ThreadState) -> tuple[Interrupt, ...]:
    """Return the questions of a state that wait for an answer."""
    return tuple(question.interrupt for _, question in pending(state).values())


def shown(values: Mapping[str, Any]) -> Any:
    """Return a state's channels without those that the graph keeps for itself."""
    if "__root__" in values:
        return values["__root__"]
    return {name: value for name, value in values.items() if not name.startswith("__")}


def tell(screen: Screen, ending: Ending) -> Exit:
    """Print how a run ended and return the exit code."""
    screen.answer(ending.data, Group(*_lines(ending)))
    if ending.code is Exit.FAILED:
        complain(f"The run {_verb(ending.status)}. {ending.error}".rstrip())
    return ending.code


def _verb(status: str) -> str:
    return "failed" if status == RunStatus.error else f"ended: {status}"


def _lines(ending: Ending) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Text.assemble(ending.status, " thread ", plain(ending.thread_id))
    ]
    if ending.code is Exit.OK:
        lines.append(plain_json(ending.values))
    return [*lines, *questions(ending.interrupts)]


def questions(interrupts: tuple[Interrupt, ...]) -> list[RenderableType]:
    """Show the questions that wait, each with the id that an answer may name."""
    return [
        line
        for each in interrupts
        for line in (
            Text(f"question {each.id}{until(each.deadline)}", style="bold"),
            plain_json(each.value),
        )
    ]


def plain_json(value: Any) -> Text:
    """Show a value as indented JSON."""
    return Text(as_json(value, indent=2))


@dataclass(slots=True)
class Clock:
    """Seconds since it was made."""

    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.began
