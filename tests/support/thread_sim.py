"""A seeded scheduler of virtual workers, a lossy broker, a sweeper and a client over one thread.

One seed is one run of a graph of four supersteps, seven tasks, three questions and failing
attempts, under crashes, pauses, lost, doubled and reordered messages, lost replies, repeated
answers, cancel-and-restart, retries of failed runs and, for even seeds, one fail-over. Then the
faults stop, and the run must end with a history that is exactly consistent. Redis' own clock is
read by the scripts, so virtual time passes by moving the scores of the due set.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

import redis

from checkpoint_redis import commands, keys
from checkpoint_redis.ledger import Ledger, Operation, T
from checkpoint_redis.records import (
    AnswerEntry,
    CheckpointEntry,
    Lease,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Advance, OutboxEntry, Recorded

PLAN = (("ok", "asks", "flaky"), ("ok",), ("asks twice", "ok"), ("flaky",), ("ok",))
QUESTIONS = {"asks": 1, "asks twice": 2}
WORKERS = 3
SERVED = ("sim@1",)
State = dict[str, str]


def digest(state: State) -> str:
    return hashlib.blake2b(json.dumps(sorted(state.items())).encode(), digest_size=6).hexdigest()


class Simulation:
    def __init__(self, client: redis.Redis, namespace: str, seed: int) -> None:
        self.client: Any = client
        self.ledger = Ledger(client, retry_for=0)
        self.random = random.Random(seed)
        self.thread = keys.Thread(namespace, f"thread {seed}")
        self.due = keys.due(namespace, self.thread.shard)
        self.messages: list[OutboxEntry] = []
        self.workers: list[Iterator[str] | None] = [None] * WORKERS
        self.phase = [""] * WORKERS
        self.paused = [0] * WORKERS
        self.asked: set[tuple[str, str]] = set()
        self.answers: dict[str, str] = {}
        self.steps = self.runs = self.refused = 0
        self.failover_left = seed % 2 == 0
        self.snapshot: list[tuple[bytes, bytes]] | None = None
        self.chaos = True
        self.calm_steps = 6_000
        self.token = ""
        self.start()

    # --- calls -------------------------------------------------------------------------------

    def nonce(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def call(self, command: Operation[T]) -> T:
        if self.chaos and self.random.random() < 0.05:
            self.ledger.call(command)  # its reply is lost, the caller repeats it
        return self.ledger.call(command)

    def send(self, *hints: OutboxEntry) -> None:
        for hint in hints:
            if not (self.chaos and self.random.random() < 0.2):
                self.messages.append(hint)

    # --- the client --------------------------------------------------------------------------

    def start(self) -> None:
        """Cancel what there is, and begin again from the empty state."""
        self.call(commands.cancel(self.thread, "", ep=self.nonce()))
        header = self.ledger.header(self.thread)
        self.runs += 1
        step = self.superstep(f"{self.runs}.-1", {"start": str(self.runs)}, {}, {})
        self.call(
            commands.start(
                self.thread,
                self.nonce(),
                step,
                expect=header.cp if header else "",
                graph="sim",
                fp="1",
                queue="q",
            )
        )
        self.publish(step)

    def publish(self, step: SuperstepEntry) -> None:
        self.send(*(OutboxEntry("", step.ep, task.id, "q", 0) for task in step.tasks))
        self.call(commands.published(self.thread, "", step.ep))

    def superstep(
        self, head: str, state: State, writes: dict[str, bytes], answers: dict[str, list[str]]
    ) -> SuperstepEntry:
        """Plan what follows the checkpoint `head`, whose id is <start>.<number>.<nonce>."""
        start, last, *_ = head.split(".")
        number = int(last) + 1
        kinds = PLAN[number] if number < len(PLAN) else ()
        cp = f"{start}.{number}.{self.nonce()}"
        known = {
            "before": digest(state),
            "state": {**state, **{tid: writes[tid].hex() for tid in writes}},
            "writes": {tid: writes[tid].decode() for tid in writes},
            "answers": answers,
        }
        seen = digest(known["state"])  # type: ignore[arg-type]
        tasks = tuple(
            TaskEntry(f"{number}.{i}", json.dumps([kind, seen]).encode())
            for i, kind in enumerate(kinds)
        )
        blob = json.dumps(known).encode()
        checkpoint = CheckpointEntry(cp, blob, number, ("c@1",), {"c@1": blob})
        outcome = "go" if tasks else "end"
        return SuperstepEntry(self.nonce(), (checkpoint,), tasks, outcome, 25)  # type: ignore[arg-type]

    def client_step(self) -> None:
        loaded = self.ledger.load(self.thread)
        assert loaded is not None
        for asked in loaded.questions:
            self.asked.update((asked.tid, iid) for iid, _ in asked.questions)
        st = loaded.header.st
        if st == "error" and (not self.chaos or self.random.random() < 0.5):
            self.go_on(commands.answer(self.thread, self.nonce(), "retry", rnd=self.nonce()))
        elif self.asked and st in ("interrupted", "busy"):
            tid, iid = self.random.choice(sorted(self.asked))
            pair = AnswerEntry("", tid, iid, f"answer to {iid}".encode())
            run, rnd = self.nonce(), self.nonce()
            self.go_on(commands.answer(self.thread, run, "resume", (pair,), rnd=rnd))

    def go_on(self, command: Operation[Any]) -> None:
        reply = self.call(command)
        self.send(*reply.hints)
        if reply.advance:
            self.send(OutboxEntry("", reply.ep, "@", "q", 0))

    # --- one virtual worker: a generator, one script per step ----------------------------------

    def work(self, hint: OutboxEntry) -> Iterator[str]:
        tok = self.nonce()
        if hint.tid == "@":
            command = commands.claim_advance(
                self.thread, "", hint.ep, tok=tok, lease_ms=10, served=SERVED, max_advances=10**6
            )
            advance: Advance | None = self.call(command)
            yield "claimed"
        else:
            advance = yield from self.execute(hint, tok)
            tok = self.token
        if advance is None or advance.status != "advance":
            return
        yield from self.reduce(hint.ep, tok, advance)

    def execute(self, hint: OutboxEntry, tok: str) -> Any:
        claimed = self.call(
            commands.claim(
                self.thread, "", hint.ep, (hint.tid,),
                tok=tok, owner="w", lease_ms=10, served=SERVED,
            )
        )  # fmt: skip
        if claimed.status != "ok":
            return None
        yield "claimed"
        assert claimed.context is not None
        task = claimed.tasks[0]
        kind, seen = json.loads(task.blob)
        given = [blob.decode() for blob in task.answers]
        if self.random.random() < 0.2:
            lease = Lease(self.thread.x, "", hint.ep, hint.tid, tok)
            shard = self.thread.shard
            self.call(commands.beat(self.thread.namespace, shard, (lease,), lease_ms=10))
        yield "ran"
        if kind == "flaky" and self.chaos and self.random.random() < 0.5:
            retry = 3 if self.random.random() < 0.6 else -1
            self.call(
                commands.fail(
                    self.thread, "", hint.ep, hint.tid, tok=tok, error=b"e", retry_in_ms=retry
                )
            )
            return None
        questions: tuple[tuple[str, int], ...] = ()
        if len(given) < QUESTIONS.get(kind, 0):
            questions = ((f"{hint.tid}/{len(given)}/{tok}", 0),)
        blob = json.dumps([seen, given, self.nonce()]).encode()
        result = ResultEntry(hint.tid, task.rnd, blob, blob, questions)
        return (yield from self.report(hint, tok, claimed.context, result))

    def report(self, hint: OutboxEntry, tok: str, context: Any, result: ResultEntry) -> Any:
        """Complete, or where the task is alone finish, and publish what follows."""
        token = self.nonce()
        known = json.loads(context.checkpoint)
        writes, answers = {result.tid: result.blob}, {result.tid: json.loads(result.blob)[1]}
        step = self.superstep(context.head.cp, known["state"], writes, answers)
        if context.head.active == 1 and not result.questions and self.random.random() < 0.8:
            reply: Any = self.call(
                commands.finish(
                    self.thread, "", hint.ep, result, step, tok=tok, tok2=token, lease_ms=10
                )
            )
        else:
            reply = self.call(
                commands.complete(
                    self.thread, "", hint.ep, (result,), tok=tok, tok2=token, lease_ms=10
                )
            )
        yield "reported"
        self.token = token
        if isinstance(reply, Recorded):
            self.refused += reply.statuses.count("stale") + (reply.closing == "gone")
            return reply.advance
        if reply.status in ("go", "again"):
            self.publish(step)
        return None

    def reduce(self, ep: str, advtok: str, advance: Advance) -> Iterator[str]:
        context, writes = advance.context, advance.writes
        assert context is not None
        assert writes is not None
        assert context.checkpoint is not None
        yield "reduce"
        known = json.loads(context.checkpoint)
        answers = {tid: json.loads(writes[tid])[1] for tid in writes}
        step = self.superstep(context.head.cp, known["state"], dict(writes), answers)
        yield "reduce"
        reply = self.call(commands.commit(self.thread, "", ep, step, advtok=advtok))
        if reply.status in ("go", "again"):
            yield "committed"
            self.publish(step)

    # --- the world -----------------------------------------------------------------------------

    def sweep(self) -> None:
        """Let time pass, and look at what is due."""
        passed = self.random.choice((1, 3, 12) if self.chaos else (3, 12))
        for member in self.client.zrange(self.due, 0, -1):
            self.client.zincrby(self.due, -passed * 1_500, member)
        namespace, shard = self.thread.namespace, self.thread.shard
        for due in self.call(commands.sweep(namespace, shard, max_lost=10**6)):
            self.send(*due.hints)

    def thread_keys(self) -> list[bytes]:
        return [*self.client.keys(f"{self.thread.prefix}*"), self.due.encode()]

    def fail_over(self) -> None:
        """Go back to what the replica had; those who know the lost future stop for a while."""
        self.client.delete(*self.thread_keys())
        for key, blob in self.snapshot or ():
            self.client.restore(key, 0, blob)
        self.failover_left = False
        for i in range(WORKERS):
            self.paused[i] = self.steps + self.random.randrange(60)

    def fault(self, p: float) -> bool:
        """Maybe do harm. The replica stops best while the thread waits, the fail-over comes best
        while somebody reduces: there the rare mistakes are.
        """
        if p > 0.99:
            self.paused[self.random.randrange(WORKERS)] = self.steps + self.random.randrange(60)
        if p < 0.04:
            i = self.random.randrange(WORKERS)
            self.workers[i], self.phase[i] = None, ""
            return True
        if p < 0.045:
            self.start()
            return True
        if not self.failover_left:
            return False
        if self.snapshot is None:
            waits = self.client.hget(self.thread.header, "st") == b"interrupted"
            if p < (0.15 if waits else 0.06):
                found = [(key, self.client.dump(key)) for key in self.thread_keys()]
                self.snapshot = [(key, blob) for key, blob in found if blob]
                return True
        elif p < (0.3 if "reduce" in self.phase else 0.06):
            self.fail_over()
            return True
        return False

    def step(self) -> None:
        self.steps += 1
        p = self.random.random()
        if self.chaos and self.fault(p):
            return
        if p < 0.15:
            self.sweep()
        elif p < 0.25:
            self.client_step()
        else:
            self.worker_step(self.random.randrange(WORKERS))

    def worker_step(self, i: int) -> None:
        worker = self.workers[i]
        if worker is not None:
            if self.paused[i] <= self.steps:
                self.phase[i] = next(worker, "")
                self.workers[i] = worker if self.phase[i] else None
        elif self.messages:
            message = self.messages[self.random.randrange(len(self.messages))]
            if not (self.chaos and self.random.random() < 0.2):
                self.messages.remove(message)
            self.workers[i] = self.work(message)

    def run(self, chaos_steps: int) -> str:
        """Return what is wrong, '' when all is well."""
        for _ in range(chaos_steps):
            self.step()
        self.chaos = False
        for k in range(self.calm_steps):
            self.step()
            if k % 10 == 0 and self.client.hget(self.thread.header, "st") == b"idle":
                return self.check()
        return f"not finished: {self.client.hgetall(self.thread.header)!r}"

    # --- the judge -------------------------------------------------------------------------------

    def history(self) -> list[dict[str, Any]]:
        """Return the checkpoints of the last run from its first on."""
        blobs = self.client.hgetall(self.thread.checkpoints)
        found = [(key[3:].decode(), blobs[key]) for key in blobs if key.startswith(b"k||")]
        header = self.ledger.header(self.thread)
        assert header is not None
        run = header.cp.split(".")[0]
        mine = [(int(cp.split(".")[1]), blob) for cp, blob in found if cp.startswith(f"{run}.")]
        steps = sorted(mine, key=lambda each: each[0])
        assert [step for step, _ in steps] == list(range(len(PLAN) + 1)), [s for s, _ in steps]
        return [json.loads(blob) for _, blob in steps]

    def check(self) -> str:
        try:
            history = self.history()
            for number in range(1, len(history)):
                self.check_step(number - 1, history[number - 1], history[number])
            self.check_rest()
        except AssertionError as wrong:
            return f"{wrong}"
        return ""

    def check_step(self, number: int, before: dict[str, Any], after: dict[str, Any]) -> None:
        wanted = [f"{number}.{i}" for i in range(len(PLAN[number]))]
        assert sorted(after["writes"]) == wanted, f"superstep {number}: {after['writes']}"
        assert after["before"] == digest(before["state"]), f"superstep {number}: another state"
        for tid in wanted:
            seen, given, _ = json.loads(after["writes"][tid])
            assert seen == digest(before["state"]), f"{tid} computed from another state"
            kind = PLAN[number][int(tid.split(".")[1])]
            assert len(given) == QUESTIONS.get(kind, 0), f"{tid} was given {given}"
            for j, text in enumerate(given):
                assert text.startswith(f"answer to {tid}/{j}/"), f"{tid}: question {j} got {text}"
        recorded = self.recorded()
        for tid in wanted:
            committed = after["writes"][tid]
            assert recorded.get(tid, committed) == committed, f"{tid}: other writes were recorded"

    def recorded(self) -> dict[str, str]:
        """Return what the scripts accepted in the last run: task id -> writes.

        Results that come while the run is failed leave no event.
        """
        accepted: dict[str, str] = {}
        for _, fields in self.client.xrange(self.thread.events):
            payload = json.loads(fields[b"p"])
            if fields[b"k"] == b"run" and payload[1] == "start":
                accepted = {}
            if fields[b"k"] == b"task":
                assert payload[1] not in accepted, f"{payload[1]} was accepted twice"
                accepted[payload[1]] = fields[b"b"].decode()
        return accepted

    def check_rest(self) -> None:
        left = self.client.zrange(self.due, 0, -1)
        assert not left, f"still due: {left}"
        kinds = sorted(key.decode().rsplit(":", 1)[1] for key in self.thread_keys()[:-1])
        assert kinds == ["c", "e", "h"], f"keys left: {self.thread_keys()}"
        header = self.ledger.header(self.thread)
        assert header is not None
        outcome = self.ledger.outcome(self.thread, header.run)
        assert outcome is not None
        assert outcome.status == "success", outcome
