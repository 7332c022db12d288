"""Runs, supersteps, tasks and leases in Redis: one-line methods over the commands.

A call is repeated with the same arguments while the connection fails: every script knows its own
token again, so a repetition whose first reply was lost changes nothing.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from redis import exceptions

from checkpoint_redis import commands, source
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.layout import Refusal
from checkpoint_redis.servers.cluster import AsyncClusterClient, ClusterClient
from checkpoint_redis.servers.opening import AsyncStoreClient, StoreClient
from distgraph.checkpoint import formats
from distgraph.errors import CorruptRecord, NewerFormat, StoreError, StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")
Operation = Script[T] | Plain[T]

RETRY_FOR = 10.0
_FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
_TEMPORARY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
)
# What redis-py has no type for, and what Redis 6 says of a command in a script.
_PASSES = re.compile(
    r"((ERR )?Error running script .*@user_script: ?\d+: -)?"
    r"(READONLY|MISCONF|OOM|LOADING|UNBLOCKED|NOREPLICAS|MASTERDOWN|BUSY) "
)
# What Lua itself raised, and not a command in it that Redis refused: as Redis 7 and Redis 6 say it.
_FAILED_SCRIPT = re.compile(
    r"(ERR )?(Error running script \(call to \w+\): @user_script:\d+: )?(user_script:|WRONGTYPE )"
)
_FINAL = (exceptions.AuthenticationError, exceptions.AuthorizationError)


def _method(command: Callable[P, Operation[T]]) -> Callable[Concatenate[Ledger, P], T]:
    @wraps(command)
    def method(self: Ledger, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.call(command(*args, **kwargs))

    return method


def _async(
    command: Callable[P, Operation[T]],
) -> Callable[Concatenate[AsyncLedger, P], Awaitable[T]]:
    @wraps(command)
    async def method(self: AsyncLedger, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.call(command(*args, **kwargs))

    return method


class Ledger:
    """The commands over a blocking client (made with ``decode_responses=False``).

    StoreUnavailable when Redis cannot be reached within ``retry_for`` seconds (0 = one try), nor
    after that for as long as ``goes_on`` says so, StoreError when it refuses, CorruptRecord when
    its answer cannot be read, NewerFormat when a newer version stored the thread. With a
    ``namespace`` the first call checks its format.
    """

    def __init__(
        self,
        client: StoreClient,
        *,
        retry_for: float = RETRY_FOR,
        namespace: str = "",
        goes_on: Callable[[], bool] = bool,
    ) -> None:
        self.client: Any = client
        self._execute: Callable[..., Any] = client.execute_command
        self._retry_for, self._goes_on = retry_for, goes_on
        self._unchecked = namespace
        self._once: Ledger | None = None

    def check(self) -> None:
        """Raise StoreError when another version's threads are in the namespace; asks once."""
        if self._unchecked:
            self._carry(commands.meta(self._unchecked, _install_id()))
            self._unchecked = ""

    def call(self, command: Operation[T]) -> T:
        """Carry out ``command``."""
        self.check()
        return self._carry(command)

    @property
    def is_spread(self) -> bool:
        """Whether shards may lie on several servers, so that no script has keys of two."""
        return isinstance(self.client, ClusterClient)

    def once(self) -> Ledger:
        """Return the ledger on the same client that repeats nothing."""
        if self._once is None:
            self._once = Ledger(self.client, retry_for=0.0, namespace=self._unchecked)
        return self._once

    def together(self, given: Sequence[Operation[T]]) -> Iterator[T]:
        """Carry out many commands in one round trip; those that fail are repeated one by one."""
        self.check()
        found = self._piped(list(map(_words, given)))
        if lost := _lost(found):
            again = self._piped([_words_in_full(given[n]) for n in lost])
            found = _with(found, lost, again)
        for command, raw in zip(given, found, strict=True):
            failed = isinstance(raw, exceptions.RedisError)
            yield self.call(command) if failed else command.read(raw)

    def _piped(self, words: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the replies, or what went wrong instead."""
        try:
            found: list[Any] = _pipe(self.client, words).execute(raise_on_error=False)
        except exceptions.RedisError as error:
            return [error] * len(words)
        return found

    def _carry(self, command: Operation[T]) -> T:
        pauses = _pauses(self._retry_for, self._goes_on)
        while True:
            try:
                return command.read(self._send(command))
            except exceptions.RedisError as error:
                pause = _pause_after(error, pauses, self.client, command)
            time.sleep(pause)

    def _send(self, command: Operation[Any]) -> Any:
        try:
            return self._execute(*_words(command))
        except exceptions.NoScriptError:
            return self._execute(*_words_in_full(command))

    start: Final = _method(commands.start)
    answer: Final = _method(commands.answer)
    stage_answers: Final = _method(commands.stage_answers)
    move: Final = _method(commands.move)
    adopt: Final = _method(commands.adopt)
    cancel: Final = _method(commands.cancel)
    delete: Final = _method(commands.delete)
    update: Final = _method(commands.update)
    stage: Final = _method(commands.stage)
    claim: Final = _method(commands.claim)
    claim_advance: Final = _method(commands.claim_advance)
    complete: Final = _method(commands.complete)
    finish: Final = _method(commands.finish)
    commit: Final = _method(commands.commit)
    inner: Final = _method(commands.inner)
    keep: Final = _method(commands.keep)
    rejoin_some: Final = _method(commands.rejoin_some)
    park: Final = _method(commands.park)
    fail: Final = _method(commands.fail)
    fail_advance: Final = _method(commands.fail_advance)
    release: Final = _method(commands.release)
    beat: Final = _method(commands.beat)
    published: Final = _method(commands.published)
    glance: Final = _method(commands.glance)
    sweep: Final = _method(commands.sweep)
    sweeper_turn: Final = _method(commands.sweeper_turn)
    outbox: Final = _method(commands.outbox)
    overdue: Final = _method(commands.overdue)
    emit: Final = _method(commands.emit)
    load: Final = _method(commands.load)
    header: Final = _method(commands.header)
    any_header: Final = _method(commands.any_header)
    outcome: Final = _method(commands.outcome)
    carried: Final = _method(commands.carried)
    runs: Final = _method(commands.runs)
    history: Final = _method(commands.history)
    checkpoints: Final = _method(commands.checkpoints)
    channels: Final = _method(commands.channels)
    caller_writes: Final = _method(commands.caller_writes)
    left: Final = _method(commands.left)
    large: Final = _method(commands.large)
    share: Final = _method(commands.share)
    threads: Final = _method(commands.threads)
    scan: Final = _method(commands.scan)
    appear: Final = _method(commands.appear)
    disappear: Final = _method(commands.disappear)
    workers: Final = _method(commands.workers)


class AsyncLedger:
    """The same over an asyncio client, which belongs to the caller's event loop."""

    def __init__(
        self, client: AsyncStoreClient, *, retry_for: float = RETRY_FOR, namespace: str = ""
    ) -> None:
        self.client: Any = client
        self._execute: Callable[..., Any] = client.execute_command
        self._retry_for = retry_for
        self._unchecked = namespace

    async def check(self) -> None:
        """Do what ``Ledger.check`` does."""
        if self._unchecked:
            await self._carry(commands.meta(self._unchecked, _install_id()))
            self._unchecked = ""

    async def call(self, command: Operation[T]) -> T:
        """Carry out ``command``."""
        await self.check()
        return await self._carry(command)

    async def together(self, given: Sequence[Operation[T]]) -> tuple[T, ...]:
        """Do what ``Ledger.together`` does."""
        await self.check()
        found = await self._piped(list(map(_words, given)))
        if lost := _lost(found):
            again = await self._piped([_words_in_full(given[n]) for n in lost])
            found = _with(found, lost, again)
        return tuple([await self._read(*each) for each in zip(given, found, strict=True)])

    async def _piped(self, words: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Do what ``Ledger._piped`` does."""
        pipe = _pipe(self.client, words)
        try:
            found: list[Any] = await heeding_cancellation(pipe.execute(raise_on_error=False))
        except exceptions.RedisError as error:
            return [error] * len(words)
        return found

    async def _read(self, command: Operation[T], raw: Any) -> T:
        failed = isinstance(raw, exceptions.RedisError)
        return await self.call(command) if failed else command.read(raw)

    async def _carry(self, command: Operation[T]) -> T:
        pauses = _pauses(self._retry_for)
        while True:
            try:
                return command.read(await self._send(command))
            except exceptions.RedisError as error:
                pause = _pause_after(error, pauses, self.client, command)
            await asyncio.sleep(pause)

    async def _send(self, command: Operation[Any]) -> Any:
        try:
            return await heeding_cancellation(self._execute(*_words(command)))
        except exceptions.NoScriptError:
            return await heeding_cancellation(self._execute(*_words_in_full(command)))

    start: Final = _async(commands.start)
    answer: Final = _async(commands.answer)
    adopt: Final = _async(commands.adopt)
    cancel: Final = _async(commands.cancel)
    delete: Final = _async(commands.delete)
    update: Final = _async(commands.update)
    stage: Final = _async(commands.stage)
    claim: Final = _async(commands.claim)
    claim_advance: Final = _async(commands.claim_advance)
    complete: Final = _async(commands.complete)
    finish: Final = _async(commands.finish)
    commit: Final = _async(commands.commit)
    inner: Final = _async(commands.inner)
    keep: Final = _async(commands.keep)
    rejoin_some: Final = _async(commands.rejoin_some)
    park: Final = _async(commands.park)
    fail: Final = _async(commands.fail)
    fail_advance: Final = _async(commands.fail_advance)
    release: Final = _async(commands.release)
    beat: Final = _async(commands.beat)
    published: Final = _async(commands.published)
    sweep: Final = _async(commands.sweep)
    sweeper_turn: Final = _async(commands.sweeper_turn)
    outbox: Final = _async(commands.outbox)
    overdue: Final = _async(commands.overdue)
    emit: Final = _async(commands.emit)
    load: Final = _async(commands.load)
    header: Final = _async(commands.header)
    outcome: Final = _async(commands.outcome)
    carried: Final = _async(commands.carried)
    runs: Final = _async(commands.runs)
    history: Final = _async(commands.history)
    checkpoints: Final = _async(commands.checkpoints)
    channels: Final = _async(commands.channels)
    caller_writes: Final = _async(commands.caller_writes)
    left: Final = _async(commands.left)
    large: Final = _async(commands.large)
    threads: Final = _async(commands.threads)
    scan: Final = _async(commands.scan)
    appear: Final = _async(commands.appear)
    disappear: Final = _async(commands.disappear)
    workers: Final = _async(commands.workers)


def _install_id() -> str:
    return secrets.token_hex(8)


def _words(command: Operation[Any]) -> tuple[Any, ...]:
    if isinstance(command, Plain):
        return command.words
    return ("EVALSHA", source.sha(command.name), len(command.keys), *command.keys, *command.args)


def _words_in_full(command: Operation[Any]) -> tuple[Any, ...]:
    """Scripts vanish when Redis restarts or fails over; EVAL brings one back."""
    if isinstance(command, Plain):
        return command.words
    return ("EVAL", source.lua(command.name), len(command.keys), *command.keys, *command.args)


def _pipe(client: Any, words: Sequence[tuple[Any, ...]]) -> Any:
    pipe = client.pipeline(transaction=False)
    for each in words:
        pipe.execute_command(*each)
    return pipe


def _lost(found: Sequence[Any]) -> list[int]:
    """Return which of many replies say that Redis has not got the script (any more)."""
    return [n for n, raw in enumerate(found) if isinstance(raw, exceptions.NoScriptError)]


def _with(found: Sequence[Any], places: Sequence[int], others: Sequence[Any]) -> list[Any]:
    """Return ``found`` with ``others`` in some places."""
    return list({**dict(enumerate(found)), **dict(zip(places, others, strict=True))}.values())


async def heeding_cancellation(reply: Awaitable[T]) -> T:
    """Await ``reply`` and raise CancelledError where redis-py loses a cancellation.

    It sends with ``asyncio.wait_for``, which before Python 3.12 returns what is there already.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        return await reply
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def _pauses(retry_for: float, goes_on: Callable[[], bool] = bool) -> Iterator[float]:
    """Yield how long to wait before each repetition, while there is time for one."""
    deadline = time.monotonic() + retry_for
    pause = _FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0 or goes_on():
        longest = min(left, LONGEST_PAUSE) if left > 0 else LONGEST_PAUSE
        yield min(longest, pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        pause = min(2 * pause, LONGEST_PAUSE)


def _pause_after(
    error: exceptions.RedisError, pauses: Iterator[float], client: Any, command: Operation[Any]
) -> float:
    """Return how long to wait, or raise what the caller is to see: one error, which says it all."""
    if isinstance(command, Script) and (newer := _newer_format(str(error), command.about)):
        raise newer from None
    if not passes(error):
        raise refused(error, client) from None
    pause = next(pauses, None)
    if pause is None:
        raise _away(error, client) from None
    return pause


def passes(error: exceptions.RedisError) -> bool:
    """Whether Redis may take the same in a while: it cannot be reached, fails over, loads, is full.

    It refuses such a command before anything is changed, a script at its first write.
    """
    if isinstance(error, _FINAL):
        return False
    return isinstance(error, _TEMPORARY) or _PASSES.match(str(error)) is not None


def _away(error: exceptions.RedisError, client: Any) -> StoreUnavailable:
    if isinstance(error, exceptions.ResponseError):
        return StoreUnavailable(
            f"Redis at {address(client)} takes nothing at the moment ({error}). It may fail over, "
            "be full, or not be able to write to its disk: its log tells."
        )
    return StoreUnavailable(
        f"Redis at {address(client)} cannot be reached ({error}). Is it running, and is the URL "
        "right?"
    )


def _newer_format(said: str, about: str) -> NewerFormat | None:
    """Read what format.lua answers a caller that is too old."""
    match said.split(" "):
        case [Refusal.newer_format, number, release]:
            return NewerFormat(about, int(number), formats.FORMAT, release)
        case _:
            return None


def refused(error: exceptions.RedisError, client: Any) -> StoreError:
    """Return what a caller is told of what Redis refuses for good."""
    if isinstance(error, _FINAL):
        return StoreUnavailable(
            f"Redis at {address(client)} refuses the login. Check user and password in the URL."
        )
    if _FAILED_SCRIPT.match(str(error)):
        return CorruptRecord(
            f"A script failed on what Redis at {address(client)} holds: {error}. Was it written by "
            "another version, or by hand?"
        )
    return StoreError(f"Redis at {address(client)} refused a command: {error}")


def address(client: Any) -> str:
    """Return where a client connects to, without its password."""
    if isinstance(client, ClusterClient | AsyncClusterClient):
        return client.address
    pool = getattr(client, "connection_pool", None)
    known = getattr(pool, "connection_kwargs", {})
    if master := getattr(pool, "service_name", ""):
        return f"{master}/{known.get('db') or 0} of the Sentinels"
    if path := known.get("path"):
        return str(path)
    if host := known.get("host"):
        return f"{host}:{known.get('port', 6379)}/{known.get('db') or 0}"
    return "its configured address"
