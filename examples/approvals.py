"""Approvals by chat: a node posts a question with two buttons, a web hook takes the answer.

The post is a node of its own, before the one that asks: a node that asks runs again when it has its
answer, and would post twice. The chat gets the key of the post; whoever presses a button sends it
back, so that a late answer cannot meet the next question::

    CHAT_URL=http://chat.example.org/hook celery -A examples.approvals worker
    uvicorn examples.approvals:service
    python -m examples.approvals vacation-7 "Ada asks for a week off"
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, TypedDict

import httpx
from fastapi import Body, FastAPI, HTTPException

from distgraph.errors import ResumeError, ThreadNotFound
from distgraph.graph import END, START, StateGraph
from distgraph.types import Interrupt, RetryPolicy, Runtime, interrupt
from workers import CeleryBackend


class Request(TypedDict, total=False):
    """The state: what is asked for, under which key it was posted, and what was said."""

    text: str
    thread: str
    post: str
    approved: bool


def post(request: Request, runtime: Runtime[None]) -> Request:
    """Post the question; a chat that knows the key already shows it once."""
    key = runtime.idempotency_key
    message = {"text": request["text"], "thread": request["thread"], "key": key}
    httpx.post(os.environ["CHAT_URL"], json=message, timeout=10).raise_for_status()
    return {"post": key}


def wait(request: Request) -> Request:
    """Wait for the answer, for minutes or for weeks; nothing runs meanwhile."""
    return {"approved": interrupt({"post": request["post"], "text": request["text"]})}


builder = StateGraph(Request)
builder.add_node("post", post, retry_policy=RetryPolicy(retry_on=httpx.HTTPError))
builder.add_node("wait", wait)
builder.add_edge(START, "post").add_edge("post", "wait").add_edge("wait", END)

backend = CeleryBackend()
graph = builder.compile(name="approvals", backend=backend)
app = backend.app
service = FastAPI()


@service.post("/answers")
def answered(
    thread: Annotated[str, Body()],
    key: Annotated[str, Body()],
    approved: Annotated[bool, Body()],
    by: Annotated[str, Body()],
) -> dict[str, str]:
    """Take what a button sends. Check the chat's signature here before you believe it."""
    try:
        waiting = backend.thread(thread)
        run = waiting.resume({_question(waiting.interrupts, key): approved}, by=by)
    except (ResumeError, ThreadNotFound) as late:
        raise HTTPException(409, "This was answered already.") from late
    return {"run": run.id}


def _question(waiting: tuple[Interrupt, ...], key: str) -> str:
    """Return the id of the question that was posted under ``key``."""
    for question in waiting:
        if question.value["post"] == key:
            return question.id
    raise HTTPException(409, "This was answered already.")


def main(thread: str, text: str) -> str:
    """Ask for an approval; return the id of the run, which ends when the question is posted."""
    config = {"configurable": {"thread_id": thread}}
    return str(graph.submit({"text": text, "thread": thread}, config, by="cli").id)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
