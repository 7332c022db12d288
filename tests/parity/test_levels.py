"""What is kept and shown of graphs in graphs is what LangGraph keeps and shows, id by id."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cache, partial
from typing import Any

import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from tests.parity.engines import (
    DISTGRAPH,
    DISTGRAPH_ASYNC,
    LANGGRAPH,
    LANGGRAPH_ASYNC,
    Client,
    Engine,
)
from tests.parity.exact import Exactly
from tests.parity.levels import LEVELS, Levels, Looking, checkpoints_inside, seen_of
from tests.parity.observe import thread
from tests.parity.strategies import many
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.no_cover
Course = Callable[[Engine, Client], Iterator[Callable[[], Any]]]
EDIT = {"log": ["edit"], "own": ["edit"]}


def two_runs(engine: Engine, client: Client) -> Iterator[Callable[[], Any]]:
    """Ask and answer, twice on one thread."""
    for word in ("one", "two"):
        yield partial(client.invoke, {"log": [word]}, thread())
        yield partial(client.invoke, engine.Command(resume=word), thread())


def editing(level: int, as_node: str | None) -> Course:
    """Update the frame `level` graphs in while all wait, then go on with None, then answer."""

    def course(engine: Engine, client: Client) -> Iterator[Callable[[], Any]]:
        yield lambda: client.invoke({"log": ["in"]}, thread())
        yield lambda: client.update_state(_frame(client, level).config, EDIT, as_node)
        yield lambda: client.invoke(None, thread())
        if client.get_state(thread()).next:
            yield lambda: client.invoke(engine.Command(resume="yes"), thread())

    return course


def _frame(client: Client, level: int) -> Any:
    shown = client.get_state(thread(), subgraphs=True)
    for _ in range(level):
        shown = shown.tasks[0].state
    return shown


def again(kind: str, *, inside: bool, runs: int) -> Course:
    """Begin at each checkpoint there was, of the root or of the frames inside.

    As it is (`replay`), updated (`fork`), or with a new `input`. One question waits.
    """

    def course(engine: Engine, client: Client) -> Iterator[Callable[[], Any]]:
        for _ in range(runs):
            client.invoke({"log": ["in"]}, thread())
            client.invoke(engine.Command(resume="yes"), thread())
        client.invoke({"log": ["last"]}, thread())
        found = list(checkpoints_inside(client)) if inside else client.history(thread())
        for old in found:
            yield partial(_begun, client, old.config, kind)
            if client.get_state(thread()).next:
                yield lambda: client.invoke(engine.Command(resume="again"), thread())

    return course


def _begun(client: Client, place: Any, kind: str) -> Any:
    if kind == "fork":
        place = client.update_state(place, EDIT)
    return client.invoke({"log": ["new"]} if kind == "input" else None, place)


COURSES: dict[str, Course] = {
    "two_runs": two_runs,
    "edit_the_leaf": editing(2, None),
    "edit_the_leaf_before_it_asks": editing(2, "i1"),
    "edit_the_leaf_as_what_asks": editing(2, "i2"),
    "edit_the_middle": editing(1, None),
    "edit_the_middle_as_what_asks": editing(1, "m2"),
    "replay": again("replay", inside=False, runs=1),
    "fork": again("fork", inside=False, runs=1),
    "input_at_an_older_checkpoint": again("input", inside=False, runs=1),
}
INSIDE: dict[str, Course] = {
    "replay": again("replay", inside=True, runs=1),
    "fork": again("fork", inside=True, runs=1),
}


def follow(engine: Engine, levels: Levels, course: Course, **options: Any) -> list[Any]:
    """What each call of a course gives, all that can be seen after it, and in the end once more."""
    client, exactly = levels.compile(engine, **options), Exactly()
    looking = Looking(client, exactly)
    seen = [(seen_of(exactly, call), looking.look()) for call in course(engine, client)]
    return [*seen, (None, looking.look(again=True))]


def outcomes(engine: Engine, levels: Levels, course: Course, **options: Any) -> list[Any]:
    """What each call of a course gives, and what the root has after it."""
    client, exactly = levels.compile(engine, **options), Exactly()
    calls = course(engine, client)
    return [(seen_of(exactly, call), exactly(client.history(thread()))) for call in calls]


def pairs(levels: Iterable[Levels]) -> pytest.MarkDecorator:
    """Every course on each of `levels`, as parameters of a test.

    There, a graph that lasts and waits goes on when the one around it was updated; here it is
    called anew, on top of what it has.
    """
    found = ((name, each) for each in levels for name in COURSES)
    wanted = ((name, each) for name, each in found if name != "edit_the_middle" or not each.leaf)
    cases = [pytest.param(name, each, id=f"{name}-{each.name}") for name, each in wanted]
    return pytest.mark.parametrize(("name", "levels"), cases)


@pairs(LEVELS[:: many(5, 1)])  # every fifth, or all
def test_as_langgraph_does(name: str, levels: Levels) -> None:
    course = COURSES[name]
    assert follow(DISTGRAPH, levels, course) == follow(LANGGRAPH, levels, course)


@pairs(LEVELS[1 :: many(9, 5)])
def test_with_asyncio_as_langgraph_does(name: str, levels: Levels) -> None:
    course = COURSES[name]
    assert follow(DISTGRAPH_ASYNC, levels, course) == follow(LANGGRAPH_ASYNC, levels, course)


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("called", [False, True])
def test_begun_at_a_checkpoint_inside_as_langgraph_does(called: bool, name: str) -> None:
    # There a graph that does not last begins anew; and what goes on inside has the checkpoint of
    # the update itself, of which a fork is made here.
    levels, course = Levels(called, mid=True, leaf=True), INSIDE[name]
    assert outcomes(DISTGRAPH, levels, course) == outcomes(LANGGRAPH, levels, course)


@pytest.fixture(params=["sqlite", "redis"])
def checkpointer(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Give each saver that is not in memory."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
            yield SqliteSaver(conn)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with RedisSaver.from_conn_string(server.url, namespace=f"l-{uuid.uuid4().hex[:8]}") as saver:
        yield saver


@cache
def in_memory(name: str, levels: Levels) -> list[Any]:
    """What `follow` sees of a course in memory, once for all other savers."""
    return follow(DISTGRAPH, levels, COURSES[name], checkpointer=InMemorySaver())


@pairs(LEVELS[1 :: many(9, 5)])
def test_every_saver_keeps_what_memory_keeps(name: str, levels: Levels, checkpointer: Any) -> None:
    kept = follow(DISTGRAPH, levels, COURSES[name], checkpointer=checkpointer)
    assert kept == in_memory(name, levels)
