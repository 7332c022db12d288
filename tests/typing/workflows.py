"""What type checkers find in calls of workflows, and of the functions that they call.

Each complaint is expected: both checkers also complain of an ``ignore`` that nothing needs.
"""

from __future__ import annotations

from typing import Any, assert_type

from distgraph.func import SyncAsyncFuture, TaskFunction, entrypoint, task
from distgraph.graph import CompiledStateGraph
from distgraph.types import RetryPolicy
from tests.typing.schemas import Context


@task
def count(text: str, times: int = 1) -> int:
    return len(text) * times


@task(name="other", retry_policy=RetryPolicy())
def named(text: str) -> int:
    return len(text)


@task
async def acount(text: str) -> int:
    return len(text)


known: TaskFunction[[str], int] = named
assert_type(count("a"), SyncAsyncFuture[int])
assert_type(count("a", times=2).result(), int)
assert_type(named("a").result(), int)
assert_type(acount("a"), SyncAsyncFuture[int])
count(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
count("a", 1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
count("a").reslut()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


@entrypoint()
def plain(text: str, *, previous: list[int] | None = None) -> list[int]:
    return [count(text).result(), *(previous or [])]


assert_type(plain, CompiledStateGraph[list[int], Any, str, list[int]])
assert_type(plain.invoke("a"), list[int])
assert_type(plain.get_state({}).values, list[int])
plain.invoke(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@entrypoint(context_schema=Context)
async def apart(text: str, *, previous: int = 0) -> entrypoint.final[str, int]:
    assert_type(await acount(text), int)
    return entrypoint.final(value=text, save=previous + 1)


assert_type(apart, CompiledStateGraph[str, Context, str, str])


async def on_a_loop() -> None:
    assert_type(await apart.ainvoke("a", context=Context("ada")), str)
    await apart.ainvoke("a", context=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
