"""What the smoke program does and checks, in its order."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distgraph.errors import NoSuchInterrupt, NothingToResume, ThreadNotFound
from distgraph.types import Command, StreamMode
from tests.substrates.app import ATTEMPTS, GATE, backend, graphs
from tests.substrates.crew import APP, Crew
from tests.substrates.notes import Notes
from tests.support.waiting import PATIENCE, wait_until

WIDTH = 6  # more than one worker takes, those that it takes in advance included
NODES = ("coroutine", "blocking")
MODES: tuple[StreamMode, ...] = ("updates", "custom")


@dataclass(frozen=True, slots=True)
class Scene:
    """`harm` has the harm of this substrate done, if there is any, and returns behind it."""

    folder: Path
    crew: Crew
    notes: Notes
    harm: Callable[[], None]

    def given(self, check: str) -> dict[str, Any]:
        """Return the input of a check's graph, and make its folder."""
        folder = self.folder / check
        folder.mkdir()
        return {"folder": str(folder), "width": WIDTH}


def on(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


def names() -> list[str]:
    """Return the items that a fan-out sends, in their order."""
    return [f"{node}-{n}" for node in NODES for n in range(WIDTH)]


def once(tried: int = ATTEMPTS) -> Counter[str]:
    """Return how often what stands before the question of a tour has to be executed."""
    return Counter({"plan": 1, "stubborn": tried, "ask": 1, **dict.fromkeys(names(), 1)})


def workers_come(scene: Scene) -> None:
    scene.crew.start(2)
    wait_until(lambda: len(backend.workers()) == len(scene.crew.workers), "workers to be seen")


def fan_out_retries_and_question(scene: Scene) -> None:
    asked = graphs["tour"].invoke(scene.given("tour"), on("tour"))
    assert [each.value for each in asked["__interrupt__"]] == [{"publish": 2 * WIDTH}], asked
    assert asked["items"] == names(), asked
    assert asked["tried"] == ATTEMPTS, asked
    assert scene.notes.executions("tour") == once(), scene.notes.executions("tour")
    assert backend.thread("tour").status == "interrupted"


def answer_once(scene: Scene) -> None:
    done = graphs["tour"].invoke(Command(resume="yes"), on("tour"))
    assert done["answer"] == "yes", done
    wanted = once() + Counter({"ask": 1, "settle": 1})
    assert scene.notes.executions("tour") == wanted, scene.notes.executions("tour")
    try:
        graphs["tour"].invoke(Command(resume="no"), on("tour"))
    except (NothingToResume, NoSuchInterrupt):
        return
    raise AssertionError("a second answer was taken")


def state_and_history(scene: Scene) -> None:
    graph = graphs["tour"]
    assert graph.get_state(on("tour")).values["answer"] == "yes"
    history = [(state.metadata or {}).get("step") for state in graph.get_state_history(on("tour"))]
    assert history == [5, 4, 3, 2, 1, 0, -1], history
    assert [info.id for info in backend.threads(graph="tour")] == ["tour"]
    kinds = [run.kind for run in backend.thread("tour").runs()]
    assert kinds == ["resume", "start"], kinds


def streams(scene: Scene) -> None:
    given = scene.given("streamed")
    streamed(list(graphs["tour"].stream(given, on("streamed"), stream_mode=MODES)))
    run = graphs["tour"].submit(Command(resume="yes"), on("streamed"), stream_mode="updates")
    told = [next(iter(chunk)) for _, chunk in backend.run("streamed", run.id).stream()]
    assert told == ["ask", "settle"], told
    assert run.result(timeout=PATIENCE)["answer"] == "yes"


def streamed(chunks: Sequence[tuple[str, Any]]) -> None:
    """Check what a tour streams up to its question."""
    updates = Counter(name for mode, chunk in chunks if mode == "updates" for name in chunk)
    told = Counter({"plan": 1, "stubborn": 1, "__interrupt__": 1, **dict.fromkeys(NODES, WIDTH)})
    assert updates == told, updates
    custom = sorted(chunk for mode, chunk in chunks if mode == "custom")
    assert custom == [name for name in names() if name.startswith("coroutine")], custom


def asyncio_callers(scene: Scene) -> None:
    asyncio.run(_asyncio_callers(scene))


async def _asyncio_callers(scene: Scene) -> None:
    graph, given = graphs["tour"], scene.given("looped")
    async with asyncio.timeout(PATIENCE):
        streamed([c async for c in graph.astream(given, on("looped"), stream_mode=MODES)])
        done = await graph.ainvoke(Command(resume="yes"), on("looped"))
    assert done["answer"] == "yes"
    assert [info.id for info in await backend.athreads(limit=1)] == ["looped"]


def failures(scene: Scene) -> None:
    try:
        graphs["failing"].invoke({}, on("failed"))
    except ValueError as error:
        assert "on purpose" in str(error)  # noqa: PT017 - no test of pytest's
    else:
        raise AssertionError("a failed node did not fail its run")
    assert backend.thread("failed").status == "error"


def cancelled(scene: Scene) -> None:
    run = graphs["lasting"].submit(scene.given("cancelled"), on("cancelled"))
    scene.notes.has("cancelled", "endless")
    assert run.cancel()
    scene.notes.has("cancelled", "cancelled")
    wait_until(lambda: run.status == "cancelled", "the run to be cancelled")


def kills_and_harm(scene: Scene) -> None:
    """Kill a pool process, then a worker, do what else is harmful here, and have all end right."""
    given, crew, notes = scene.given("killed"), scene.crew, scene.notes
    run = graphs["held"].submit(given, on("killed"))
    wait_until(lambda: _all_hold(scene), "all workers to hold tasks")
    gone = {crew.kill_one_of(pid for pids in notes.places("killed").values() for pid in pids)}
    gone |= crew.kill_worker()
    scene.harm()
    crew.start()
    (Path(given["folder"]) / GATE).touch()
    done = run.result(timeout=PATIENCE)
    assert done["items"] == names(), done
    again = {name: pids for name, pids in notes.places("killed").items() if len(pids) > 1}
    innocent = {name: pids for name, pids in again.items() if not gone & set(pids[:-1])}
    assert not innocent, f"ran again, and none of {gone} had them: {innocent}"
    assert notes.executions("killed")["settle"] == 1
    assert backend.thread("killed").status == "idle"


def _all_hold(scene: Scene) -> bool:
    """Whether each worker has begun a task, and somebody a blocking one."""
    places = scene.notes.places("killed")
    pids = {pid for found in places.values() for pid in found}
    families = [{w.pid, *(child.pid for child in w.children())} for w in scene.crew.workers]
    return "blocking-0" in places and all(family & pids for family in families)


def deletion(scene: Scene) -> None:
    for info in backend.threads(limit=100):
        backend.thread(info.id).delete()
    assert not backend.threads()
    try:
        backend.thread("tour").info  # noqa: B018 - it asks
    except ThreadNotFound:
        return
    raise AssertionError("a thread that was deleted is still there")


def doctor(scene: Scene) -> None:
    words = (sys.executable, "-m", "distgraph", "doctor", "--json", "--target", f"{APP}:backend")
    ended = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["healthy"]


CHECKS: tuple[Callable[[Scene], None], ...] = (
    workers_come,
    fan_out_retries_and_question,
    answer_once,
    state_and_history,
    streams,
    asyncio_callers,
    failures,
    cancelled,
    kills_and_harm,
    doctor,
    deletion,
)
