"""Nodes of several branches that ask, each one thing after the other; they know who asked what."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from distgraph.errors import GraphInterrupt
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt

Kind = Literal["gather", "group", "threads", "beside", "unkept", "called", "one after the other"]
AT_ONCE: tuple[Kind, ...] = ("gather", "group", "threads", "beside", "unkept")
"""Kinds whose branches may come in another order in each attempt."""
IN_ORDER: tuple[Kind, ...] = ("gather", "group", "unkept", "called", "one after the other")
"""Kinds whose branches may begin with the same question."""
Place = tuple[int, int]
"""A branch, and the number of its question."""


class State(TypedDict, total=False):
    """Which node it is of those that a graph may have, and what each branch of it was told."""

    node: str
    said: list[list[str]]


def graph_of(node: Callable[[State], Any]) -> StateGraph[Any, Any, Any, Any]:
    """Return a graph that runs ``node``."""
    return StateGraph(State).add_node("asks", node).add_edge(START, "asks")


@dataclass(slots=True)
class Branching:
    """A node that asks what ``branches`` say; in each attempt others of them are the first.

    ``asked`` tells which question each id was given to.
    """

    kind: Kind
    branches: tuple[tuple[str, ...], ...]
    turn: int = 0
    attempts: int = 0
    asked: dict[str, Place] = field(default_factory=dict)

    @property
    def node(self) -> Callable[[State], Any]:
        """What runs them: a coroutine function, or one that blocks."""
        return self._blocking if self.kind in ("threads", "one after the other") else self._co

    async def _co(self, _: State) -> State:
        order = self._order()
        if self.kind == "group":
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._coroutine(each)) for each in order]
            return self._said(order, [task.result() for task in tasks])
        beside = [self._beside(each) for each in order]
        return self._said(order, await asyncio.gather(*beside))

    def _beside(self, branch: int) -> Awaitable[list[str]]:
        match self.kind:
            case "beside":
                return asyncio.to_thread(self._branch, branch)
            case "unkept" | "called":
                return self._called(branch)
            case _:
                return self._coroutine(branch)

    async def _called(self, branch: int) -> list[str]:
        """Do what ``_coroutine`` does in a graph of its own."""

        async def inner(_: State) -> State:
            return {"said": [await self._coroutine(branch)]}

        kept = False if self.kind == "unkept" else None
        told = await graph_of(inner).compile(checkpointer=kept).ainvoke({"node": "inner"})
        said: list[str] = told["said"][0]
        return said

    def _blocking(self, _: State) -> State:
        order = self._order()
        if self.kind == "one after the other":
            return self._said(order, [self._branch(each) for each in order])
        with ThreadPoolExecutor(2) as pool:  # some of them wait for a thread
            told = [
                pool.submit(contextvars.copy_context().run, self._branch, each) for each in order
            ]
        return self._said(order, [each.result() for each in told])

    def _order(self) -> list[int]:
        first = self.attempts * self.turn % len(self.branches)
        self.attempts += 1
        numbers = list(range(len(self.branches)))
        return numbers[first:] + numbers[:first]

    def _said(self, order: list[int], told: Iterable[list[str]]) -> State:
        of = dict(zip(order, told, strict=True))
        return {"said": [of[number] for number in sorted(of)]}

    async def _coroutine(self, branch: int) -> list[str]:
        said = []
        for number in range(len(self.branches[branch])):
            said.append(self._ask((branch, number)))
            await asyncio.sleep(0)
        return said

    def _branch(self, branch: int) -> list[str]:
        return [self._ask((branch, number)) for number in range(len(self.branches[branch]))]

    def _ask(self, place: Place) -> str:
        branch, number = place
        try:
            answer: str = interrupt(self.branches[branch][number])
        except GraphInterrupt as signal:
            self.asked[signal.interrupts[0].id] = place
            raise
        return answer

    def answered(
        self, call: Callable[[Any], Any], chosen: Callable[[list[str]], list[str]]
    ) -> tuple[Any, list[list[str]]]:
        """Return what the graph says in the end, and what it was told.

        Each time those questions are answered that ``chosen`` takes of the ids that wait. A
        question that has an answer is never asked again.
        """
        told: dict[Place, str] = {}
        state = call({})
        while "__interrupt__" in state:
            waiting = [question.id for question in state["__interrupt__"]]
            resume = {iid: f"answer {len(told) + n}" for n, iid in enumerate(chosen(waiting))}
            places = {self.asked[iid]: answer for iid, answer in resume.items()}
            assert not places.keys() & told.keys()
            told |= places
            state = call(Command(resume=resume))
        sizes = map(len, self.branches)
        return state["said"], [[told[b, n] for n in range(size)] for b, size in enumerate(sizes)]
