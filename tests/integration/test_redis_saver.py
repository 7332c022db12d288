"""A thread may be run in this process and on workers in turn: both keep it under the same keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from checkpoint_redis.saver import AsyncRedisSaver, RedisSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import NothingToResume, ThreadBusy
from distgraph.types import Command
from tests.integration.test_same_results import CASES, history, seen
from tests.support.apps.served import ALL
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE


@pytest.fixture
def saver(redis_server: RedisServer, namespace: str) -> Iterator[RedisSaver]:
    with RedisSaver.from_conn_string(redis_server.url, namespace=namespace) as saver:
        yield saver


@pytest.fixture
def of_site(shared: Site) -> Iterator[RedisSaver]:
    """Give a saver for the threads of the shared workers."""
    with RedisSaver.from_conn_string(shared.store.url, namespace=shared.namespace) as saver:
        yield saver


def compiled(name: str, saver: Any) -> Any:
    return ALL[name]().compile(name=name, checkpointer=saver)


@pytest.mark.redis
@pytest.mark.parametrize("case", CASES)
def test_a_local_run_is_the_same_on_redis_as_in_memory(saver: RedisSaver, case: str) -> None:
    name, calls = CASES[case]
    in_memory = seen(compiled(name, InMemorySaver()), on("t"), calls)
    assert seen(compiled(name, saver), on("t"), calls) == in_memory


@pytest.mark.redis
async def test_an_event_loop_runs_on_an_asyncio_client(
    redis_server: RedisServer, namespace: str
) -> None:
    async with AsyncRedisSaver.from_conn_string(redis_server.url, namespace=namespace) as saver:
        await saver.asetup()
        graph = compiled("approval", saver)
        await graph.ainvoke({"request": "r"}, on("t"))
        done = await graph.ainvoke(Command(resume="ok"), on("t"))
        assert done["path"] == ["prepare", "approve", "publish"]
        assert len([s async for s in graph.aget_state_history(on("t"))]) == 5


@pytest.mark.celery
def test_a_thread_that_workers_finished_goes_on_here_and_there_again(
    shared: Site, of_site: RedisSaver, thread_id: str
) -> None:
    on_workers, here = shared.graphs["steps"], compiled("steps", of_site)
    memory = compiled("steps", InMemorySaver())
    for graph in (on_workers, here, on_workers, here):
        given = {"path": ["in"]}
        assert graph.invoke(given, on(thread_id)) == memory.invoke(given, on(thread_id))
        expected = history(memory, on(thread_id))
        assert history(on_workers, on(thread_id)) == expected
        assert history(here, on(thread_id)) == expected
    same = [s.config for s in here.get_state_history(on(thread_id))]
    assert same == [s.config for s in on_workers.get_state_history(on(thread_id))]


@pytest.mark.celery
def test_a_graph_on_workers_has_a_saver_over_what_they_keep(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["steps"]
    graph.invoke({"path": ["in"]}, on(thread_id))
    kept = graph.checkpointer
    assert isinstance(kept, RedisSaver)
    listed = [found.config for found in kept.list(on(thread_id))]
    assert listed == [found.config for found in graph.get_state_history(on(thread_id))]
    with pytest.raises(ValueError, match="a backend stores its threads itself"):
        graph.copy({"checkpointer": InMemorySaver()})


@pytest.mark.celery
def test_a_question_that_a_worker_asked_is_answered_here(
    shared: Site, of_site: RedisSaver, thread_id: str
) -> None:
    here = compiled("panel", of_site)
    asked = shared.graphs["panel"].invoke({"asked": ["x", "y"]}, on(thread_id))
    assert list(here.get_state(on(thread_id)).interrupts) == asked["__interrupt__"]
    answers = {question.id: question.value.upper() for question in asked["__interrupt__"]}
    done = here.invoke(Command(resume=answers), on(thread_id))
    assert sorted(done["answers"]) == ["quiet", "x=X", "y=Y"]
    assert shared.backend.thread(thread_id).status == "idle"
    again = shared.graphs["panel"].invoke({"asked": []}, on(thread_id))
    assert sorted(again["answers"]) == ["quiet", "quiet", "x=X", "y=Y"]


@pytest.mark.celery
def test_a_question_that_was_asked_here_is_asked_again_by_workers(
    shared: Site, of_site: RedisSaver, thread_id: str
) -> None:
    on_workers, here = shared.graphs["approval"], compiled("approval", of_site)
    here.invoke({"request": "r"}, on(thread_id))
    waiting = shared.backend.thread(thread_id)
    assert waiting.status == "interrupted"
    with pytest.raises(NothingToResume, match="by a run outside of the workers"):
        on_workers.invoke(Command(resume="ok"), on(thread_id))
    with pytest.raises(NothingToResume, match="by a run outside of the workers"):
        waiting.resume("ok")
    on_workers.invoke(None, on(thread_id))
    assert len(here.get_state(on(thread_id)).interrupts) == 1
    done = on_workers.invoke(Command(resume="ok"), on(thread_id))
    assert done["path"] == ["prepare", "approve", "publish"]


@pytest.mark.celery
def test_an_update_that_workers_took_is_seen_from_here(
    shared: Site, of_site: RedisSaver, thread_id: str
) -> None:
    on_workers, here = shared.graphs["steps"], compiled("steps", of_site)
    memory = compiled("steps", InMemorySaver())
    for given in ({"path": ["x"]}, Command(update={"path": ["u"]}, goto="c")):
        on_workers.invoke(given, on(thread_id))
        memory.invoke(given, on(thread_id))
    on_workers.invoke(Command(update={"path": ["end"]}), on(thread_id))
    memory.invoke(Command(update={"path": ["end"]}), on(thread_id))
    assert history(here, on(thread_id)) == history(memory, on(thread_id))
    here.invoke(Command(update={"path": ["later"]}), on(thread_id))
    memory.invoke(Command(update={"path": ["later"]}), on(thread_id))
    assert history(here, on(thread_id)) == history(memory, on(thread_id))
    of_site.copy_thread(thread_id, f"{thread_id}-copy")
    assert history(here, on(f"{thread_id}-copy")) == history(here, on(thread_id))
    of_site.prune([thread_id])
    assert history(here, on(thread_id)) == history(memory, on(thread_id))[:1]


@pytest.mark.celery
def test_a_thread_that_workers_carry_cannot_be_written_from_here(
    shared: Site, of_site: RedisSaver, thread_id: str, tmp_path: Any
) -> None:
    gate = tmp_path / "gate"
    run = shared.graphs["fan"].submit({"width": 1, "gate": str(gate)}, on(thread_id))
    here = compiled("fan", of_site)
    with pytest.raises(ThreadBusy, match="Workers carry run"):
        here.invoke({"width": 0}, on(thread_id))
    gate.touch()
    assert run.result(timeout=PATIENCE)["total"] == 0
