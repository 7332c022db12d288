"""A graph that reads and writes models: sign-ups that somebody has to approve."""

from __future__ import annotations

from typing import TypedDict

from django.contrib.auth.models import User

from distgraph.graph import END, START, StateGraph
from distgraph.types import interrupt
from examples.django_project.celery import REDIS, app
from workers import CeleryBackend


class SignUp(TypedDict, total=False):
    """The state: the primary key of the user, not the model itself, and what was decided."""

    user: int
    approved: bool


def ask(state: SignUp) -> SignUp:
    """Ask whether a user may come in."""
    name = User.objects.get(pk=state["user"]).username
    return {"approved": interrupt({"may come in": name})}


async def activate(state: SignUp) -> None:
    """Let the user in; the connection that this opens is closed when the node ends."""
    await User.objects.filter(pk=state["user"]).aupdate(is_active=state["approved"])


builder = StateGraph(SignUp)
builder.add_node(ask).add_node(activate)
builder.add_edge(START, "ask").add_edge("ask", "activate").add_edge("activate", END)

backend = CeleryBackend(REDIS, app=app)
graph = builder.compile(name="signups", backend=backend)
