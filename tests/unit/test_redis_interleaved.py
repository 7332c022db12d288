"""Two commands that maintain a thread at the same time leave it whole, however they interleave."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import pytest
import redis

from checkpoint_redis import commands, keys, references, saving
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.saver import RedisSaver
from checkpoint_redis.saving import forgetting
from checkpoint_redis.saving.finding import of_thread
from checkpoint_redis.saving.steps import check
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import Checkpoint
from distgraph.checkpoint.base.config import coordinates_of
from distgraph.checkpoint.conformance import at, make
from distgraph.errors import ThreadConflict, ThreadNotFound
from tests.support.thread_driver import nonce

pytestmark = pytest.mark.redis
TASK = "11111111-0000-0000-0000-000000000000"
RUNS = 5
DRAWN = 12
"""So many orders of two commands are drawn, besides those in which one comes between two scripts
of the other."""
Steps = Generator[Any, Any, Any]
REFUSED = (ThreadConflict, ThreadNotFound, ValueError)


class Site:
    """A thread 't' with a line of checkpoints in two frames, made anew for each interleaving."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self.saver = RedisSaver(client, namespace=namespace)
        self.archive = Archive(namespace, self.saver.serde)
        self.ledger = Ledger(client, retry_for=0)
        self.thread = Thread(namespace, "t")
        self.checkpoints: list[Checkpoint] = []

    def build(self) -> None:
        for name in ("t", "copy"):
            self.ledger.delete(Thread(self.thread.namespace, name))
        self.checkpoints = [make({f"c{n}": 0 for n in range(RUNS)})]
        for number in range(1, RUNS):
            self.checkpoints.append(after(self.checkpoints[-1], f"c{number}"))
        for number, each in enumerate(self.checkpoints):
            self._put("", number, each)
        for number in (1, 3):
            self._put("inner", number, self.checkpoints[number])
        self.saver.put_writes(at("t", self.checkpoints[1]["id"]), [("c1", 1)], TASK)

    def _put(self, ns: str, number: int, checkpoint: Checkpoint) -> None:
        parent = self.checkpoints[number - 1]["id"] if number else None
        own = checkpoint["id"]
        versions = checkpoint["channel_versions"]
        new = versions if ns else {c: v for c, v in versions.items() if v == own}
        self.saver.put(at("t", parent, ns), checkpoint, meta(number), new)

    # --- what may come at the same time -----------------------------------------------------------

    def prune(self) -> Steps:
        return saving.prune(self.archive, "t")

    def delete_newest_run(self) -> Steps:
        return saving.delete_for_runs(self.archive, [f"run {RUNS - 1}"])

    def delete_oldest_runs(self) -> Steps:
        return saving.delete_for_runs(self.archive, [f"run {n}" for n in range(RUNS - 1)])

    def copy(self) -> Steps:
        return saving.copy_thread(self.archive, "t", "copy")

    def delete(self) -> Steps:
        return saving.delete_thread(self.archive, "t")

    def delete_copy(self) -> Steps:
        return saving.delete_thread(self.archive, "copy")

    def put(self) -> Steps:
        return self._put_after(self.checkpoints[-1])

    def put_branch(self) -> Steps:
        return self._put_after(self.checkpoints[1])

    def _put_after(self, parent: Checkpoint) -> Steps:
        new = after(parent, "c0")
        own = {"c0": new["id"]}
        return saving.put(self.archive, at("t", parent["id"]), new, meta(99), own)

    def log(self) -> Steps:
        where = at("t", self.checkpoints[-1]["id"])
        return saving.put_writes(self.archive, where, [("c1", 2)], TASK, "")

    def log_older(self) -> Steps:
        where = at("t", self.checkpoints[1]["id"])
        return saving.put_writes(self.archive, where, [("c2", 2)], TASK, "")

    def update(self) -> Steps:
        return self._updated(self.checkpoints[-1])

    def update_older(self) -> Steps:
        return self._updated(self.checkpoints[1])

    def _updated(self, base: Checkpoint) -> Steps:
        """Go on from a checkpoint that was read, as a caller of workers does."""
        loaded = yield commands.load(self.thread, "", base["id"])
        if loaded is None or loaded.checkpoint is None:
            return
        new = after(base, "c3")
        entry = self.archive.entry(
            coordinates_of(at("t", base["id"])), new, meta(98), {"c3": new["id"]}, {}, nonce()
        )
        header = loaded.header
        changed = yield commands.update(
            self.thread, (entry,), expect=header.cp, seen=header.ep, ep=nonce(), waiting=False
        )
        check(changed, self.thread)

    # --- what must be true of every thread --------------------------------------------------------

    def check(self) -> None:
        for thread in (self.thread, Thread(self.thread.namespace, "copy")):
            if self.ledger.header(thread) is not None:
                self._check(thread)
            else:
                left = self.saver.client.keys(f"{thread.prefix}*")
                assert left == [], f"without a header there is {left}"

    def _check(self, thread: Thread) -> None:
        names = set[str](carry(self.ledger, of_thread(thread))[0])
        stored = {tuple(n.removeprefix("k|").rsplit("|", 1)) for n in names if n.startswith("k|")}
        assert stored, "a thread has no checkpoint"
        used = set[str]()
        for ns, cp in stored:
            loaded = self.ledger.load(thread, ns, cp)
            assert loaded is not None
            assert loaded.checkpoint is not None
            wanted = {
                keys.channel_field(ns, r)
                for r in references.names(self.archive.refs(loaded.checkpoint))
            }
            assert wanted <= names, f"{ns}|{cp} refers to {wanted - names}"
            used |= wanted
        for ns in {ns for ns, _ in stored}:
            head = self.ledger.load(thread, ns)
            assert head is not None
            newest = max(cp for frame, cp in stored if frame == ns)
            assert head.header.cp == newest, f"the head of '{ns}' is {head.header.cp}"
            assert set(head.channels) == set(
                references.names(self.archive.refs(head.checkpoint or b""))
            )
        frames = {"": "", **self.ledger.call(commands.frames(thread))}
        assert frames.keys() == {"", *(ns for ns, _ in stored)}
        for ns, _ in stored:
            assert self.saver.get_tuple(at(thread.thread_id, None, frames[ns])) is not None
            assert not ns or self.saver.client.exists(thread.frame(ns))


def meta(number: int) -> Any:
    return {"source": "loop", "step": number, "parents": {}, "run_id": f"run {number}"}


def after(parent: Checkpoint, *changed: str) -> Checkpoint:
    """Return a checkpoint after `parent` in which these channels have a new version."""
    new = make(parent["channel_values"], parent["id"])
    own = dict.fromkeys(changed, new["id"])
    new["channel_versions"] = {**parent["channel_versions"], **own}
    return new


def carry(ledger: Ledger, steps: Steps) -> Any:
    reply: Any = None
    try:
        while True:
            reply = ledger.call(steps.send(reply))
    except StopIteration as stop:
        return stop.value


def interleave(ledger: Ledger, both: Sequence[Steps], order: Iterator[int]) -> tuple[int, int]:
    """Carry two commands, a script of that one whose turn it is; return how many each took."""
    reply: list[Any] = [None, None]
    open_, taken = {0, 1}, [0, 0]
    while open_:
        turn = next(order)
        turn = turn if turn in open_ else min(open_)
        try:
            command = both[turn].send(reply[turn])
        except (StopIteration, *REFUSED):
            open_.discard(turn)
            continue
        reply[turn] = ledger.call(command)
        taken[turn] += 1
    return taken[0], taken[1]


KINDS: tuple[Callable[[Site], Steps], ...] = (
    Site.prune,
    Site.delete_newest_run,
    Site.delete_oldest_runs,
    Site.copy,
    Site.delete,
    Site.delete_copy,
    Site.put,
    Site.put_branch,
    Site.log,
    Site.log_older,
    Site.update,
    Site.update_older,
)
PAIRS = list(itertools.combinations_with_replacement(KINDS, 2))


def orders(first: int, second: int, seed: str) -> Iterator[Iterator[int]]:
    """Yield orders of two commands that took so many scripts one after the other, each once."""
    seen = set[tuple[int, ...]]()
    for made in _orders(first, second, seed):
        order, ahead = itertools.tee(made)
        if (turns := tuple(_turns(ahead, first, second))) not in seen:
            seen.add(turns)
            yield order


def _turns(order: Iterator[int], *scripts: int) -> Iterator[int]:
    """Yield whose turn it is for as long as neither has to begin again."""
    left = [*scripts]
    while any(left):
        turn = next(order)
        turn = turn if left[turn] else 1 - turn
        left[turn] -= 1
        yield turn


def _orders(first: int, second: int, seed: str) -> Iterator[Iterator[int]]:
    """Yield the orders in which one command comes whole into the other, and some that are drawn."""
    for own, other, length in ((0, 1, first), (1, 0, second)):
        for at_ in range(length + 1):
            yield itertools.chain([own] * at_, itertools.repeat(other))
    draw = random.Random(seed)
    for _ in range(DRAWN):
        yield iter(lambda: draw.randrange(2), 2)


@pytest.fixture(params=[1_000, 3], ids=["at once", "in slices"], autouse=True)
def _forgotten(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "FORGOTTEN", request.param)


@pytest.mark.parametrize(
    ("one", "other"), PAIRS, ids=[f"{a.__name__}-{b.__name__}" for a, b in PAIRS]
)
def test_a_thread_stays_whole(
    redis_client: redis.Redis,
    namespace: str,
    one: Callable[[Site], Steps],
    other: Callable[[Site], Steps],
) -> None:
    site = Site(redis_client, namespace)
    site.build()
    first, second = interleave(site.ledger, (one(site), other(site)), itertools.repeat(0))
    for order in orders(first, second, f"{one.__name__} {other.__name__}"):
        site.build()
        interleave(site.ledger, (one(site), other(site)), order)
        site.check()


def test_a_prune_and_a_removal_of_the_newest_run_do_what_one_after_the_other_does(
    redis_client: redis.Redis, namespace: str
) -> None:
    site = Site(redis_client, namespace)
    site.build()
    pair = (Site.prune, Site.delete_newest_run)
    taken = interleave(site.ledger, [each(site) for each in pair], itertools.repeat(0))
    found = set[tuple[int, ...]]()
    for order in orders(*taken, "both"):
        site.build()
        interleave(site.ledger, [each(site) for each in pair], order)
        site.check()
        _, left = carry(site.ledger, of_thread(site.thread))
        numbers = {each["id"]: number for number, each in enumerate(site.checkpoints)}
        found.add(tuple(numbers[each.cp] for each in left if each.ns == ""))
    assert found == {(), (RUNS - 2,)}
