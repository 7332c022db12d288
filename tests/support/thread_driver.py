"""Drives one thread through the ledger step by step, with a default for every argument."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis

from checkpoint_redis import keys, loading, source
from checkpoint_redis.commands import Living
from checkpoint_redis.layout import AnswerMode, StepOutcome
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.readings import CallerWrites, Loaded, RunRecord
from checkpoint_redis.records import (
    AnswerEntry,
    CheckpointEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Advance, Answered, Claimed, Committed, Due, Recorded, Submitted
from distgraph.effects import carry

LEASE = 5_000
SERVED = ("graph@1",)
_assembled, _files = source.lua.__wrapped__, cache(source.files)


def nonce() -> str:
    return secrets.token_hex(8)


def superstep(
    cp: str, *tids: str, outcome: StepOutcome = "go", ep: str = "", error: bytes = b""
) -> SuperstepEntry:
    """Return a superstep whose checkpoint `cp` has one channel, and a task for each id."""
    checkpoint = CheckpointEntry(cp, cp.encode(), 0, (f"c@{cp}",), {f"c@{cp}": b"value"})
    tasks = tuple(TaskEntry(tid, tid.encode(), reads=("c",)) for tid in tids)
    return SuperstepEntry(ep or nonce(), (checkpoint,), tasks, outcome, error)


class Driver:
    def __init__(self, client: redis.Redis, namespace: str, thread_id: str = "thread") -> None:
        self.client: Any = client
        self.ledger = Ledger(client, retry_for=0)
        self.thread = keys.Thread(namespace, thread_id)
        self.due_key, self.outboxes_key = keys.planned(namespace, self.thread.shard)

    # --- the client --------------------------------------------------------------------------

    def start(self, step: SuperstepEntry, run: str = "run", expect: str = "") -> Submitted:
        return self.ledger.start(
            self.thread, run, step, expect=expect, graph="graph", fp="1", queue="queue", cfg=b"cfg"
        )

    def started(self, *tids: str) -> str:
        """Start a run on checkpoint cp-0 with these tasks; return the epoch."""
        return self.start(superstep("cp-0", *tids)).ep

    def answer(self, tid: str, iid: str, run: str = "run-2", blob: bytes = b"yes") -> Answered:
        pair = AnswerEntry("", tid, iid, blob)
        return self.ledger.answer(self.thread, run, "resume", (pair,), rnd=nonce())

    def go_on(self, mode: AnswerMode, run: str = "run-2") -> Answered:
        return self.ledger.answer(self.thread, run, mode, rnd=nonce())

    # --- a worker ------------------------------------------------------------------------------

    def claim(self, ep: str, *tids: str, tok: str = "t", owner: str = "worker") -> Claimed:
        return self.ledger.claim(
            self.thread, "", ep, tids, tok=tok, owner=owner, lease_ms=LEASE, served=SERVED
        )

    def complete(  # noqa: PLR0913 - a default for each
        self, ep: str, tid: str, *, tok: str = "t", tok2: str = "adv", rnd: str = "",
        blob: bytes = b"writes",
    ) -> Recorded:  # fmt: skip
        result = ResultEntry(tid, rnd, blob)
        return self.ledger.complete(
            self.thread, "", ep, (result,), tok=tok, tok2=tok2, lease_ms=LEASE
        )

    def ask(  # noqa: PLR0913 - a default for each
        self, ep: str, tid: str, iid: str, *, tok: str = "t", deadline: int = 0, rnd: str = "",
        within: int = -1, place: str = "",
    ) -> Recorded:  # fmt: skip
        asked = QuestionEntry(iid, deadline, within, place, f"late {iid}".encode())
        result = ResultEntry(tid, rnd, b"question", questions=(asked,))
        return self.ledger.complete(
            self.thread, "", ep, (result,), tok=tok, tok2="adv", lease_ms=LEASE
        )

    def finish(
        self, ep: str, tid: str, step: SuperstepEntry, *, tok: str = "t", rnd: str = ""
    ) -> Committed | Recorded:
        return self.ledger.finish(
            self.thread, "", ep, ResultEntry(tid, rnd, b"writes"), step,
            tok=tok, tok2="adv", lease_ms=LEASE,
        )  # fmt: skip

    def commit(self, ep: str, step: SuperstepEntry, advtok: str = "adv") -> Committed:
        return self.ledger.commit(self.thread, "", ep, step, advtok=advtok)

    def fail(self, ep: str, tid: str, *, tok: str = "t", retry_in_ms: int = -1) -> str:
        return self.ledger.fail(
            self.thread, "", ep, tid, tok=tok, error=b"error", retry_in_ms=retry_in_ms
        ).status

    def emit(
        self, tid: str = "a", *, run: str = "run", tok: str = "t", first: int = 1,
        blobs: tuple[bytes, ...] = (b"x",),
    ) -> bool:  # fmt: skip
        return self.ledger.emit(self.thread, run, "", tid, tok=tok, first=first, blobs=blobs)

    def claim_advance(self, ep: str, tok: str = "adv-2", max_advances: int = 3) -> Advance:
        return self.ledger.claim_advance(
            self.thread, "", ep, tok=tok, lease_ms=LEASE, served=SERVED,
            max_advances=max_advances, lost=b"lost",
        )  # fmt: skip

    # --- time, and what is stored ----------------------------------------------------------------

    def pass_time(self, ms: int) -> None:
        for key in (self.due_key, self.outboxes_key):
            for member in self.client.zrange(key, 0, -1):
                self.client.zincrby(key, -ms, member)

    def sweep(self, after_ms: int = 0, max_lost: int = 3, living: Living = None) -> tuple[Due, ...]:
        self.pass_time(after_ms)
        namespace, shard = self.thread.namespace, self.thread.shard
        given = {"max_lost": max_lost, "lost": b"lost", "living": living}
        return self.ledger.sweep(namespace, shard, **given).found  # type: ignore[arg-type]

    def due(self) -> set[str]:
        """Return what is planned, as tid|kind."""
        keys = (self.due_key, self.outboxes_key)
        members = [member for key in keys for member in self.client.zrange(key, 0, -1)]
        return {member.decode().split("|", 2)[2] for member in members}

    @property
    def status(self) -> str:
        header = self.ledger.header(self.thread)
        return header.st if header else ""

    def outcome(self, run: str = "run") -> str:
        outcome = self.ledger.outcome(self.thread, run)
        return outcome.status if outcome else ""

    def load(self, cp: str = "") -> Loaded | None:
        return carry(loading.load(self.thread, "", cp), self.ledger.call)

    def run(self) -> RunRecord:
        """Return the record of the last run."""
        loaded = self.ledger.load(self.thread)
        assert loaded is not None
        assert loaded.run is not None
        return loaded.run

    def states(self) -> dict[str, str]:
        """Return the state of each open task."""
        loaded = self.load()
        assert loaded is not None
        return {task.tid: task.st for task in loaded.tasks}

    def caller_writes(self, cp: str) -> CallerWrites:
        """Return what callers wrote at a checkpoint; both ways of reading it agree."""
        loaded = self.ledger.load(self.thread, "", cp)
        assert loaded is not None
        assert self.ledger.caller_writes(self.thread, "", (cp,)) == (loaded.caller_writes,)
        return loaded.caller_writes

    def writes(self) -> dict[str, bytes]:
        loaded = self.load()
        assert loaded is not None
        return dict(loaded.writes)

    def stored(self) -> set[str]:
        """Return the kinds of keys that the thread has."""
        found = self.client.keys(f"{self.thread.prefix}*")
        return {key.decode().removeprefix(self.thread.prefix) for key in found}


@dataclass(frozen=True)
class _Changed:
    """The folder `whole`, in which `file` stands for the script of a name."""

    whole: Path
    script: str
    file: Path

    def __truediv__(self, name: str) -> Path:
        return self.file if name == self.script else self.whole / name


class _Anew:
    """The scripts that `whole` gives, put together anew where they need `script`."""

    def __init__(self, whole: Any, script: str) -> None:
        self._whole, self._script, self._own = whole, script, cache(_assembled)

    def __call__(self, name: str) -> str:
        found = self._own if self._script in _files(name) else self._whole
        return str(found(name))

    def cache_clear(self) -> None:
        self._own.cache_clear()
        self._whole.cache_clear()


@contextmanager
def mutated(folder: Path, script: str, guard: str, without: str) -> Iterator[None]:
    """Run the block with `guard` replaced by `without` in a script, by a copy in `folder`."""
    text = (source.FOLDER / script).read_text()
    assert text.count(guard) == 1, f"{script} holds {text.count(guard)} times: {guard}"
    changed, whole = folder / "changed.lua", source.lua
    changed.write_text(text.replace(guard, without))

    with _using(_Changed(source.FOLDER, script, changed), _Anew(whole, script)):
        yield


@contextmanager
def using_scripts(folder: Path) -> Iterator[None]:
    """Run the block with the scripts of another folder."""
    with _using(folder, cache(_assembled)):
        yield


@contextmanager
def _using(folder: Any, lua: Any) -> Iterator[None]:
    shipped = source.FOLDER, source.lua
    source.FOLDER, source.lua = folder, lua
    source.sha.cache_clear()
    try:
        yield
    finally:
        source.FOLDER, source.lua = shipped
        source.sha.cache_clear()
