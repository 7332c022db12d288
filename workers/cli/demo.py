"""``distgraph demo``: a census of Python source on real workers, with a question at its end."""

from __future__ import annotations

import queue
import shlex
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from checkpoint_redis.layout import ThreadStatus
from distgraph.types import Command, Interrupt

from ..client.listed import ThreadInfo
from ..demo.census import Census, read_answer, request
from ..demo.place import GRAPH
from . import demo_view as view
from .crew import Crew, crew, is_at_rest
from .exits import CommandError, Exit, complain, guarded
from .options import Json
from .screen import Screen

LOOKS = 0.5
PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; ``answer`` is None when it is to be prompted for, or never given."""

    out: Path
    given: Census | None
    answer: bool | None
    detach: bool
    workers: int
    screen: Screen

    @property
    def folder(self) -> Path:
        """Where Redis keeps its data, and the workers their logs."""
        return self.out / ".distgraph"

    @property
    def prompts(self) -> bool:
        """Whether there is a person to ask."""
        return not self.screen.as_json and sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Asked:
    """A census that waits: its thread, its question, and how long the counting took in s."""

    thread_id: str
    question: Interrupt
    seconds: float | None

    @property
    def files(self) -> int:
        """How many files were counted."""
        return int(self.question.value["totals"]["files"])

    @property
    def speed(self) -> float | None:
        """Files per second, from the start of the run to its question."""
        return round(self.files / self.seconds, 1) if self.seconds else None


@guarded
def demo(  # noqa: PLR0913 a command's options
    folder: Annotated[
        Path | None,
        typer.Argument(help="Python source to count; by default Python's standard library."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("distgraph-demo"),
    yes: Annotated[bool, typer.Option("--yes", help="Publish without asking.")] = False,
    no: Annotated[bool, typer.Option("--no", help="Refuse without asking.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Stop everything while the question is pending.")
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Go on with the census that was detached in OUT."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes.")] = 2,
    as_json: Json = False,
) -> Exit:
    """Count a folder of Python source on workers, ask, and publish report.json and report.html.

    Needs no server: an embedded Redis and the workers are started, and stopped at the end.
    """
    _refuse_contradictions(folder, resume, yes=yes, no=no, detach=detach)
    answer = True if yes else False if no else None
    place = (resume or out).resolve()
    given = None if resume else _request(place, folder)
    plan = Plan(place, given, answer, detach, workers, Screen(as_json))
    if resume and not plan.folder.is_dir():
        raise CommandError(f"Nothing can be resumed: there is no {plan.folder}.")
    asked, decision = _work(plan)
    return Exit.OK if decision is not None else _detached(plan, asked)


def _refuse_contradictions(
    folder: Path | None, resume: Path | None, *, yes: bool, no: bool, detach: bool
) -> None:
    if yes and no:
        raise CommandError("--yes and --no exclude each other.", Exit.USAGE)
    if resume and (folder or detach):
        raise CommandError("--resume goes without a FOLDER and without --detach.", Exit.USAGE)


def _request(out: Path, folder: Path | None) -> Census:
    try:
        return request(out, folder)
    except NotADirectoryError as wrong:
        raise CommandError(str(wrong), Exit.USAGE) from wrong


def _work(plan: Plan) -> tuple[Asked, bool | None]:
    """Do everything that needs workers; the answer is None when nobody gave one."""
    with crew(plan.folder, plan.workers) as hands, _stopped_in_words(plan):
        plan.screen.note(f"Started Redis and {plan.workers} workers; their logs: {plan.folder}")
        asked = _count(plan, hands, plan.given) if plan.given else _find(hands)
        decision = _decide(plan, asked)
        if decision is None:
            view.stored(plan.screen, hands.backend, asked.thread_id)
        else:
            _answer(plan, hands, asked, publish=decision)
        return asked, decision


@contextmanager
def _stopped_in_words(plan: Plan) -> Iterator[None]:
    """Say how a demonstration goes on that Ctrl-C stops."""
    try:
        yield
    except KeyboardInterrupt:
        complain(f"Stopping the workers. What was counted is kept: {_resume_command(plan)}")
        raise


# --- counting -----------------------------------------------------------------------------------


def _count(plan: Plan, hands: Crew, given: Census) -> Asked:
    thread_id = f"census-{uuid.uuid4().hex[:12]}"
    with view.Progress(plan.screen) as progress:
        hands.ready()
        began = time.monotonic()
        run = hands.graph.submit(given, _config(thread_id), stream_mode="updates")
        for _, update in _watched(run.stream, hands.check):
            progress.show(update)
    return Asked(thread_id, _question(hands, thread_id), time.monotonic() - began)


def _config(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


def _watched(stream: Callable[[], Iterator[Any]], check: Callable[[], None]) -> Iterator[Any]:
    """Yield what ``stream`` yields, and call ``check`` while it yields nothing."""
    arrived: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        try:
            for chunk in stream():
                arrived.put(("chunk", chunk))
            arrived.put(("end", None))
        except Exception as error:  # noqa: BLE001 raised again where it is read
            arrived.put(("error", error))

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            kind, value = arrived.get(timeout=LOOKS)
        except queue.Empty:
            check()
            continue
        if kind == "end":
            return
        if kind == "error":
            raise CommandError(f"The census failed: {value}") from value
        yield value


def _find(hands: Crew) -> Asked:
    """Return the newest census that waits; one that was cut off is finished first."""
    unfinished = (ThreadStatus.interrupted, ThreadStatus.busy)
    found = [info for status in unfinished for info in _listed(hands, status)]
    if not found:
        raise CommandError(
            "No census waits for an answer here: it was answered, has failed, or never begun."
        )
    hands.ready()
    newest = max(found, key=lambda info: info.updated)
    while hands.backend.thread(newest.id).status == ThreadStatus.busy:
        hands.check()
        time.sleep(PAUSE)
    return Asked(newest.id, _question(hands, newest.id), None)


def _listed(hands: Crew, status: str) -> list[ThreadInfo]:
    return hands.backend.threads(status=status, graph=GRAPH)


def _question(hands: Crew, thread_id: str) -> Interrupt:
    waiting = hands.backend.thread(thread_id).interrupts
    if not waiting:
        raise CommandError(f"The census {thread_id} ended without its question.")
    return waiting[0]


# --- answering ----------------------------------------------------------------------------------


def _decide(plan: Plan, asked: Asked) -> bool | None:
    view.summary(plan.screen, asked.question.value, asked.seconds, asked.speed)
    if plan.detach:
        return None
    if plan.answer is not None:
        word = "yes" if plan.answer else "no"
        plan.screen.note(f"{asked.question.value['question']} {word} (answered by --{word})")
        return plan.answer
    if not plan.prompts:
        plan.screen.note("There is no terminal to ask at, and neither --yes nor --no: detaching.")
        return None
    return _prompt(plan, asked)


def _prompt(plan: Plan, asked: Asked) -> bool | None:
    """Ask until the answer is a yes or a no; the end of the input detaches."""
    prompt = Text(f"{asked.question.value['question']} [y/n] ")
    while True:
        try:
            text = plan.screen.console.input(prompt)
        except EOFError:
            return None
        if (decision := read_answer(text)) is not None:
            return decision
        plan.screen.note("Please answer yes or no.")


def _answer(plan: Plan, hands: Crew, asked: Asked, *, publish: bool) -> None:
    began = time.monotonic()
    reply: Command[str] = Command(resume={asked.question.id: publish})
    run = hands.graph.submit(reply, _config(asked.thread_id))
    for _ in _watched(run.stream, hands.check):
        pass
    values = hands.graph.get_state(_config(asked.thread_id)).values
    published = list(values.get("published", []))
    view.finished(plan.screen, published, time.monotonic() - began)
    if plan.screen.as_json:
        status = "published" if published else "refused"
        plan.screen.data({**_facts(asked), "status": status, "published": published})


def _facts(asked: Asked) -> dict[str, Any]:
    return {
        "thread": asked.thread_id,
        "totals": asked.question.value["totals"],
        "seconds": asked.seconds and round(asked.seconds, 3),
        "files_per_second": asked.speed,
    }


# --- detaching ----------------------------------------------------------------------------------


def _detached(plan: Plan, asked: Asked) -> Exit:
    if not is_at_rest(plan.folder):
        raise CommandError(f"Redis in {plan.folder} still runs: another process uses it.")
    command = _resume_command(plan)
    view.at_rest(plan.screen, plan.folder, plan.workers)
    if plan.screen.as_json:
        plan.screen.data({**_facts(asked), "status": "waiting", "resume": command})
    else:
        plan.screen.line(f"\n    {command}\n")
    return Exit.OK


def _resume_command(plan: Plan) -> str:
    words = [*_program(), "demo", "--resume", str(plan.out)]
    words += ["--workers", str(plan.workers)] if plan.workers != 2 else []  # noqa: PLR2004 default
    return shlex.join([*words, "--no" if plan.answer is False else "--yes"])


def _program() -> list[str]:
    """Return how this very program is started again, from any folder."""
    script = Path(sys.argv[0])
    if script.name != "distgraph":
        return [sys.executable, "-m", "distgraph"]
    known = shutil.which("distgraph")
    same = known is not None and Path(known).resolve() == script.resolve()
    return ["distgraph"] if same else [str(script.resolve())]
