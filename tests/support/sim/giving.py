"""A call that goes on with more tasks than one script may, a script a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from checkpoint_redis import answers, commands
from checkpoint_redis.commands import Script
from checkpoint_redis.layout import TaskField, ThreadKey
from checkpoint_redis.records import AnswerEntry, StagedAnswers
from checkpoint_redis.replies import Answered, Moved
from tests.support.sim.breakpoints import stopped
from tests.support.sim.world import World

Standing = tuple[tuple[str, str], set[str]]
UNKNOWN: Standing = (("", ""), set())
"""How it stood when somebody else's call was accepted."""


def give(
    world: World, pairs: tuple[AnswerEntry, ...], written: tuple[bytes, ...]
) -> Iterator[None]:
    """Stage answers, give them, and move them to their tasks."""
    run, rnd = world.draw.nonce(), world.draw.nonce()

    def command(pairs: answers.Pairs, staged: StagedAnswers) -> Script[Answered]:
        return commands.answer(
            world.thread, run, "resume", pairs, rnd=rnd, staged=staged, caller_writes=written
        )

    giving, reply = answers.give(world.thread, rnd, pairs, command), None
    stood = UNKNOWN
    with suppress(StopIteration):
        while True:
            script: Script[Any] = giving.send(reply)  # type: ignore[arg-type]
            reply = world.call(script)
            if isinstance(reply, Answered) and reply.status in ("go", "joined", "dup"):
                world.accepted.add(run, reply.run, script, world.head(), written)
                world.accepted.answer(reply.ep, pairs)
                world.send(*reply.hints)
                stood = standing(world)
            yield
    if is_moving(world):
        yield from move(world, stood)


def move(world: World, stood: Standing) -> Iterator[None]:
    """Move what is to be moved; what was at a breakpoint when `stood` is released in the end.

    That is when the call was accepted: it says nothing of what comes to one later.
    """
    begun, waiting = stood
    moved = Moved(moves=True)
    while moved.moves:
        moved = world.call(commands.move(world.thread))
        world.send(*moved.hints)
        yield
    now, still = standing(world)
    left = waiting & still
    assert not left or now != begun, f"still at a breakpoint: {left}"


def standing(world: World) -> Standing:
    """Return epoch and run, and which tasks are at breakpoints."""
    return (world.epoch(), world.run()), stopped(world)


def is_moving(world: World) -> bool:
    """Tell whether something that was accepted waits to be moved."""
    return bool(world.client.hexists(f"{world.thread.prefix}{ThreadKey.tasks}", TaskField.move))
