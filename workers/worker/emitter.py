"""Chunks of running nodes: the first goes out at once, later ones every 20 ms.

Whoever emits never waits for Redis: one thread of a process sends the chunks of all its attempts,
those that wait at the same time in one round trip. On an event loop nothing else would be bearable.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from checkpoint_redis import commands
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from distgraph.errors import SerializationError, StoreError

log: Final = logging.getLogger(__name__)
PAUSE = 0.02
MAX_CHUNK = 65_536
# What one script is given at most, and how many may wait before a thread that emits more waits too.
MOST_BYTES, MOST_CHUNKS, MOST_WAITING = 1_048_576, 1_000, 2_000


_NOTHING: Future[None] = Future()
"""Done, since there was nothing to be sent."""
_NOTHING.set_result(None)


@dataclass(frozen=True, slots=True)
class Streaming:
    """Whose chunks they are: a task's attempt, by its token, in a run."""

    thread: Thread
    run: str
    ns: str
    tid: str
    token: str


@dataclass(slots=True)
class _Line:
    """The chunks of one attempt that wait, how many were sent before, and when the next may go.

    Each stands behind the hash of its frame inside the task, '' for the task's own.
    """

    source: Streaming
    waiting: list[tuple[str, bytes]] = field(default_factory=list)
    sent: int = 0
    due: float = 0.0
    ends: list[Future[None]] = field(default_factory=list)

    def take(self) -> Script[bool]:
        """Return the command that appends what waits, as much of it as one script may bear."""
        at, count, bytes_ = self.source, 0, 0
        for _, blob in self.waiting[:MOST_CHUNKS]:
            bytes_ += len(blob)
            if count and bytes_ > MOST_BYTES:
                break
            count += 1
        frames, blobs = zip(*self.waiting[:count], strict=True)
        self.waiting = self.waiting[count:]
        first, self.sent = self.sent + 1, self.sent + count
        self.due = 0.0 if self.waiting or self.ends else time.monotonic() + PAUSE
        return commands.emit(
            at.thread, at.run, at.ns, at.tid, tok=at.token, first=first, blobs=blobs, frames=frames
        )


class Emissions:
    """Sends what the attempts of a process emit; a forked process begins anew."""

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._by_pid: dict[int, _Sender] = {}

    def emitter(self, source: Streaming, encode: Callable[[Any], bytes], frame: str) -> Emitter:
        """Return what an attempt emits with; ``frame``: where what is encoded says so itself."""
        return Emitter(_Line(source), encode, self._mine, frame)

    def _mine(self) -> _Sender:
        """Return this process's sender; of attempts that emit at once, one starts the thread."""
        if (known := self._by_pid.get(os.getpid())) is not None:
            return known
        made = _Sender(self._ledger)
        mine = self._by_pid.setdefault(os.getpid(), made)
        if mine is made:
            threading.Thread(target=made.send, name="distgraph-emit", daemon=True).start()
        return mine


class Emitter:
    """Takes one attempt's chunks; thread-safe, because nodes may emit from threads of theirs."""

    def __init__(
        self,
        line: _Line,
        encode: Callable[[Any], bytes],
        sender: Callable[[], _Sender],
        frame: str = "",
    ) -> None:
        self._line, self._encode, self._sender, self._frame = line, encode, sender, frame
        self._any = False

    def emit(self, chunk: Any) -> None:
        """Stream ``chunk``; SerializationError for one that is not storable or over 64 KB."""
        blob = self._encode(chunk)
        if len(blob) > MAX_CHUNK:
            msg = f"A custom chunk has {len(blob)} bytes; at most {MAX_CHUNK} can be streamed."
            raise SerializationError(msg)
        self.relay(self._frame, blob)

    def relay(self, frame: str, blob: bytes) -> None:
        """Stream what is encoded already, of the frame with that hash ('': of the task)."""
        self._any = True
        self._sender().add(self._line, (frame, blob), patient=not _on_loop())

    def sent(self) -> Future[None]:
        """Return what is done once all chunks are sent, or lost: in order, before the task ends."""
        return self._sender().end_of(self._line) if self._any else _NOTHING


class _Sender:
    """The lines of one process that have something to be sent, in the order of their first."""

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._lines: dict[int, _Line] = {}
        self._changed = threading.Condition()

    def add(self, line: _Line, chunk: tuple[str, bytes], *, patient: bool) -> None:
        """Have ``chunk`` sent; who is ``patient`` waits while too many wait before it."""
        with self._changed:
            self._changed.wait_for(lambda: not patient or len(line.waiting) < MOST_WAITING)
            line.waiting.append(chunk)
            if id(line) not in self._lines:
                self._lines[id(line)] = line
                self._changed.notify_all()

    def end_of(self, line: _Line) -> Future[None]:
        """Have all of ``line`` sent without a pause; done when that is so."""
        end: Future[None] = Future()
        with self._changed:
            line.ends.append(end)
            line.due = 0.0
            self._lines[id(line)] = line
            self._changed.notify_all()
        return end

    def send(self) -> None:
        """Send for ever; a chunk that Redis does not take is lost, the node goes on."""
        while True:
            lines, given = self._take()
            try:
                for _ in self._ledger().together(given) if given else ():
                    pass
            except StoreError as error:
                log.warning("Chunks could not be streamed: %s", error)
            except Exception:
                log.exception("Chunks could not be streamed")
            self._tell_ends(lines)

    def _take(self) -> tuple[list[_Line], list[Script[bool]]]:
        """Wait until something may go; return the lines of which it is, and what to send."""
        with self._changed:
            while not (lines := [each for each in self._lines.values() if _may_go(each)]):
                self._changed.wait(self._pause())
            given = [line.take() for line in lines if line.waiting]
            self._changed.notify_all()
            return lines, given

    def _pause(self) -> float | None:
        soonest = min((line.due for line in self._lines.values()), default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())

    def _tell_ends(self, lines: list[_Line]) -> None:
        """Let the lines go that are empty now, and tell who waits for that."""
        with self._changed:
            done = [line for line in lines if not line.waiting]
            ends = [end for line in done for end in line.ends]
            for line in done:
                line.ends.clear()
                del self._lines[id(line)]
            self._changed.notify_all()
        for end in ends:
            end.set_result(None)


def _may_go(line: _Line) -> bool:
    return line.due <= time.monotonic()


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
