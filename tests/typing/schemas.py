"""The schemas of the programs beside this: type checkers read them, nothing runs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict


class State(TypedDict, total=False):
    count: int
    note: str


class Asked(TypedDict):
    note: str


class Told(TypedDict):
    count: int


@dataclass
class Data:
    count: int = 0


@dataclass
class Context:
    user: str
