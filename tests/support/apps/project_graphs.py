"""Graphs of that project: nothing but this module ties them to its application."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from distgraph.graph import START, StateGraph
from tests.support.apps.project import app
from workers import CeleryBackend


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


builder = StateGraph(State).add_node("one", lambda _: {"xs": [1]}).add_edge(START, "one")
graph = builder.compile(name="flow", backend=CeleryBackend(app=app))
