"""Graphs inside of tasks that are at breakpoints."""

from __future__ import annotations

from checkpoint_redis.layout import QuestionId
from checkpoint_redis.readings import Loaded, OpenQuestions
from tests.support.sim.world import World


def asking(loaded: Loaded) -> tuple[OpenQuestions, ...]:
    """Return what tasks ask whose graphs are not at breakpoints."""
    return tuple(each for each in loaded.questions if not _is_stopped(each))


def _is_stopped(asked: OpenQuestions) -> bool:
    return (QuestionId.stopped, 0) in asked.questions


def stopped(world: World) -> set[str]:
    """Return the tasks whose graphs are at breakpoints."""
    loaded = world.load()
    return {asked.tid for asked in loaded.questions if _is_stopped(asked)} if loaded else set()


def check_released(world: World) -> None:
    """Whatever goes on with a thread releases the graphs at breakpoints."""
    assert not stopped(world), f"still at a breakpoint: {stopped(world)}"
