"""What type checkers find in calls of a backend."""

from __future__ import annotations

from typing import Any, assert_type

from distgraph.celery import CeleryBackend as OfAnotherName
from workers import CeleryBackend, Run, Settings

CeleryBackend("redis://localhost:6379/0", lease=20, metadata_keys=["tenant"], grace=None)
CeleryBackend(leese=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
CeleryBackend(lease="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
CeleryBackend(redis=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
CeleryBackend.embedded("data", lease=20, namespace="shop", types=[int])
CeleryBackend.embedded("data", leese=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
CeleryBackend.embedded("data", redis="r")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
OfAnotherName(leese=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Settings(leese=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

backend = CeleryBackend()
assert_type(backend.run("t", "r"), Run[Any])
assert_type(backend.thread("t").resume("yes"), Run[Any])
assert_type(backend.thread("t").status, str)
backend.thread("t").resmue("yes")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
backend.threads(limt=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
