"""What graphs inside tasks cost: the scripts of each job, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from checkpoint_redis import ledger
from distgraph.graph import START, StateGraph
from distgraph.types import Command
from tests.support.frames import State, adds, asks, config, deep, sequence
from tests.support.jobs import Bench
from tests.support.redis_server import RedisServer
from workers.shared.hints import read
from workers.worker import jobs

pytestmark = pytest.mark.redis
SUPERSTEP, PARK, TAKE = ["claim", "finish"], ["claim", "park"], ["claim", "finish"]
"""Of the only task of a superstep, of one that is parked, of one whose graph has gone up."""


class Counted(Bench):
    """Does one job after the other, and knows the scripts of each."""

    def __init__(self, server: RedisServer, namespace: str, patch: pytest.MonkeyPatch) -> None:
        super().__init__(server, namespace)
        self._asked: list[str] = []
        words = ledger._words

        def noted(command: Any) -> Any:
            self._asked.append(getattr(command, "name", "no script"))
            return words(command)

        patch.setattr(ledger, "_words", noted)

    def work(self) -> list[list[str]]:
        """Do all that there is to be done; return what each job has asked of Redis."""
        found = []
        while self.sent:
            hint = read(list(self.sent.pop(0).args))
            assert hint is not None
            self._asked.clear()
            jobs.step(self.office, hint)
            found.append(list(self._asked))
        return found


@pytest.fixture
def bench(redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Counted:
    made = Counted(redis_server, namespace, monkeypatch)
    made.office.steady().check()
    return made


def test_a_superstep_inside_costs_what_one_of_the_root_does(bench: Counted) -> None:
    graph = deep(1, ("a", adds("a")), ("b", adds("b"))).on(bench.backend, "top")
    graph.submit({"xs": []}, config())
    assert bench.work() == [SUPERSTEP, PARK, SUPERSTEP, SUPERSTEP, TAKE]


def test_each_level_costs_two_scripts_down_and_two_up(bench: Counted) -> None:
    graph = deep(3, ("a", adds("a"))).on(bench.backend, "top")
    graph.submit({"xs": []}, config())
    assert bench.work() == [*3 * [SUPERSTEP, PARK], SUPERSTEP, *3 * [TAKE]]


def test_a_question_goes_up_and_its_answer_down_for_as_much(bench: Counted) -> None:
    graph, where = deep(2, ("a", asks("well?"))).on(bench.backend, "top"), config()
    graph.submit({"xs": []}, where)
    asks_it = ["claim", "complete"]
    assert bench.work() == [*2 * [SUPERSTEP, PARK], asks_it, asks_it, asks_it]
    graph.submit(Command(resume="yes"), where)
    assert bench.work() == [PARK, PARK, SUPERSTEP, TAKE, TAKE]


def test_graphs_beside_one_another_cost_as_much(bench: Counted) -> None:
    both = StateGraph(State)
    for name in ("a", "b"):
        both.add_node(name, sequence(("x", adds(name)))).add_edge(START, name)
    taken = [["claim", "complete"], ["claim", "complete", "commit"]]
    both.compile().on(bench.backend, "top").submit({"xs": []}, config())
    assert bench.work() == [PARK, PARK, SUPERSTEP, SUPERSTEP, *taken]


@pytest.mark.parametrize("lasting", [False, True], ids=["of a task", "lasting"])
def test_a_graph_that_was_called_before_costs_no_more(bench: Counted, lasting: bool) -> None:
    inner = sequence(("x", adds("x")), checkpointer=lasting or None)
    graph, where = sequence(("mid", inner)).on(bench.backend, "top"), config()
    for _ in range(2):
        graph.submit({"xs": []}, where)
        assert bench.work() == [PARK, SUPERSTEP, TAKE]
