"""A web service on FastAPI: any process starts runs, streams them, and takes answers.

Nothing about a run is kept in a process of the service, so there may be any number of them::

    celery -A examples.refunds worker
    uvicorn examples.web:service --workers 4

    curl -X POST localhost:8000/refunds/order-17 --json '{"amount": 120}'
    curl -N localhost:8000/refunds/order-17/runs/<the run's id>/events
    curl -X POST localhost:8000/refunds/order-17/answers/<the question's id> --json true
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, StreamingResponse

from distgraph.errors import (
    BrokerUnavailable,
    ResumeError,
    StoreUnavailable,
    ThreadBusy,
    ThreadNotFound,
)
from distgraph.types import Command
from examples.refunds import backend, graph
from workers import Run

STATUS = {
    ThreadNotFound: 404,
    ThreadBusy: 409,
    ResumeError: 409,
    StoreUnavailable: 503,
    BrokerUnavailable: 503,
}
service = FastAPI()


async def told(_request: Request, error: Exception) -> JSONResponse:
    """Tell an error of a call by its status and its text."""
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    return JSONResponse({"error": str(error)}, status)


for kind in STATUS:
    service.add_exception_handler(kind, told)


@service.post("/refunds/{order}", status_code=202)
async def start(order: str, amount: Annotated[float, Body(embed=True)]) -> dict[str, str]:
    """Start a run, and return at once."""
    config = {"configurable": {"thread_id": order}}
    run = await graph.asubmit({"order": order, "amount": amount}, config, by="web")
    return {"run": run.id}


@service.get("/refunds/{order}/runs/{run_id}/events")
async def events(
    order: str, run_id: str, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """Stream a run's chunks as Server-Sent Events, behind the last one that the browser saw."""
    run = await backend.arun(order, run_id)
    return StreamingResponse(_events(run, last_event_id), media_type="text/event-stream")


async def _events(run: Run, after: str) -> AsyncIterator[str]:
    try:
        async for seen, mode, chunk in run.astream(after=after, ids=True):
            yield _event(mode, jsonable_encoder(chunk), seen)
    except Exception as error:  # noqa: BLE001 whatever a node raised: the browser is told of it
        yield _event("failed", str(error))
    yield _event("end", await run.astatus())


def _event(name: str, data: Any, seen: str = "") -> str:
    place = f"id: {seen}\n" if seen else ""
    return f"{place}event: {name}\ndata: {json.dumps(data)}\n\n"


@service.get("/refunds/{order}/questions")
async def questions(order: str) -> list[dict[str, Any]]:
    """List what waits for an answer; 404 where there is no such order."""
    waiting = await backend.thread(order).ainterrupts()
    return [{"id": each.id, "value": each.value} for each in waiting]


@service.post("/refunds/{order}/answers/{question}", status_code=202)
async def answer(order: str, question: str, value: Annotated[bool, Body()]) -> dict[str, str]:
    """Answer one question, and return the run that goes on; 409 when somebody was faster."""
    config = {"configurable": {"thread_id": order}}
    run = await graph.asubmit(Command(resume={question: value}), config, by="web")
    return {"run": run.id}
