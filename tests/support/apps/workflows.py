"""Workflows, told by their input what becomes of an attempt at them."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Any, TypedDict

from distgraph.func import entrypoint, task
from distgraph.types import interrupt
from tests.support.apps.programs import hold, note, noted


class Tour(TypedDict, total=False):
    """`log` gets the name of all that runs; `dies`: what kills its process the first time.

    `gate` holds the call "second", `asks` is a question of the call "third", `width` how many calls
    are begun at once.
    """

    log: str
    dies: str
    gate: str
    asks: str
    width: int


def _visited(tour: Tour, name: str) -> str:
    note(tour["log"], name)
    if tour.get("dies") == name and noted(tour["log"]).count(name) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "second":
        hold(tour.get("gate", ""))
    if name == "third" and tour.get("asks"):
        return str(interrupt(tour["asks"]))
    return name


@task
def visit(tour: Tour, name: str) -> str:
    return _visited(tour, name)


@task
async def avisit(tour: Tour, name: str) -> str:
    return await asyncio.to_thread(_visited, tour, name)


@task
def double(x: int) -> int:
    return x * 2


def tour(tour: Tour, *, previous: Any = None) -> dict[str, Any]:
    note(tour["log"], "tour")
    path = [visit(tour, name).result() for name in ("first", "second", "third")]
    _visited(tour, "body")
    wide = [future.result() for future in [double(x) for x in range(tour.get("width", 0))]]
    return {"path": path, "wide": wide, "previous": (previous or {}).get("path")}


async def atour(tour: Tour, *, previous: Any = None) -> dict[str, Any]:
    note(tour["log"], "tour")
    path = [await avisit(tour, name) for name in ("first", "second", "third")]
    await asyncio.to_thread(_visited, tour, "body")
    wide = await asyncio.gather(*[double(x) for x in range(tour.get("width", 0))])
    return {"path": path, "wide": wide, "previous": (previous or {}).get("path")}


@entrypoint()
def leg(tour: Tour) -> list[str]:
    return [visit(tour, name).result() for name in ("first", "second", "third")]


def tours(tour: Tour) -> dict[str, Any]:
    note(tour["log"], "tour")
    began = visit(tour, "begin").result()
    return {"path": [began, *leg.invoke(tour), visit(tour, "end").result()]}


@dataclass(frozen=True, slots=True)
class Workflow:
    """Compiles a function as builders compile their graphs."""

    function: Any

    def compile(self, **options: Any) -> Any:
        return entrypoint(**options)(self.function)


def _of(function: Any) -> Any:
    return lambda: Workflow(function)


WORKFLOWS = {"tour": _of(tour), "atour": _of(atour), "tours": _of(tours)}
