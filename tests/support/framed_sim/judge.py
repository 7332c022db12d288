"""What must be true of graphs inside graphs when the run has ended; AssertionError if it is not."""

from __future__ import annotations

import ast
import json
from collections import Counter

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from tests.support.framed_sim.calling import FAILED
from tests.support.framed_sim.collecting import ESCAPED
from tests.support.framed_sim.program import (
    ASKS,
    Calls,
    Graph,
    Known,
    Plan,
    call_ids,
    number_of,
)
from tests.support.sim.world import World


class Judge:
    def __init__(self, world: World, plans: tuple[Plan, ...]) -> None:
        self._world, self._plans = world, plans

    def ended(self) -> bool:
        """Tell whether the root's last superstep is committed, and nothing is to be removed."""
        world = self._world
        head = world.head()
        return bool(
            world.status() == "idle" and head and Graph(self._plans).is_over(head)
            and not world.due()
        )  # fmt: skip

    def check_end(self) -> None:
        self._check_rest()
        names = self._world.ledger.call(commands.frames(self._world.thread)).values()
        assert not [name for name in names if name.endswith("|0")], "calls are kept that are over"
        for name in ("", *names):
            own = (known for known in self._line(name).values() if not known.put)
            commits = Counter(known.parent for known in own if known.parent)
            twice = [cp for cp in commits if commits[cp] > 1]
            assert not twice, f"in '{name}' committed twice: {twice}"
        self._check_frame(Graph(self._plans), self._world.head())

    def _check_rest(self) -> None:
        """Nothing is open, in no frame."""
        kinds = {key.decode().removeprefix(self._world.thread.prefix)[:2]
                 for key in self._world.stored() if self._world.client.pttl(key) == -1}  # fmt: skip
        left = kinds - {"h", "c", "fs", "f:", "i", "l", "l:", "e", "n:", "z"}
        assert not left, f"something is open: {left}"

    def _line(self, name: str) -> dict[str, Known]:
        prefix = f"k|{FrameName(name).hash}|".encode()
        fields = self._world.client.hgetall(self._world.thread.checkpoints)
        return {
            field.removeprefix(prefix).decode(): Known.read(blob)
            for field, blob in fields.items()
            if field.startswith(prefix)
        }

    def _check_frame(self, graph: Graph, cp: str) -> None:
        """Each superstep on the way to `cp` has what all of its tasks left, once."""
        line = self._line(graph.name)
        while number_of(cp):
            after = line[cp]
            assert number_of(cp) == number_of(after.parent) + 1
            writes = after.writes or {}
            assert sorted(writes) == sorted(graph.tids(after.parent)), f"'{graph.name}': {writes}"
            for tid, left in writes.items():
                self._check_result(graph, tid, left)
            cp = after.parent

    def _check_result(self, graph: Graph, tid: str, left: str) -> None:
        kind = graph.kind_of(tid)
        if isinstance(kind, Calls):
            self._check_calls(graph.called_by(tid), tid, kind, left)
        elif kind == "graph":
            inner, (how, _, where) = graph.inside(tid), left.partition(" ")
            if how == "ended":
                assert inner.is_over(where.removeprefix("at ")), f"{tid}: {left}"
                self._check_frame(inner, where.removeprefix("at "))
            else:
                assert inner.kind_of(where.removeprefix("by ")) == "escapes", f"{tid}: {left}"
        elif kind == "escapes":
            assert left == ESCAPED.decode()
        elif kind == "here":
            assert left == kind
        else:
            self._check_answers(tid, kind, ast.literal_eval(left))

    def _check_calls(self, graph: Graph, tid: str, calls: Calls, left: str) -> None:
        """Each call has left what it has to, or failed where that is caught."""
        found = json.loads(left)
        assert list(found) == [each for wave in call_ids(tid, calls) for each in wave]
        for each, text in found.items():
            if text == FAILED:
                assert calls.catches, f"{each} has failed, and nobody catches that"
                assert graph.kind_of(each) not in ("ok", "here"), f"{each} has failed"
            else:
                self._check_result(graph, each, text)

    def _check_answers(self, tid: str, kind: str, given: list[str]) -> None:
        """Each question got its own answer, once."""
        assert len(given) == ASKS.get(kind, 0), f"{tid} got {given}"
        for n, text in enumerate(given):
            assert text.startswith(f"{tid}/{n}/"), f"{tid}: question {n} got {text}"
