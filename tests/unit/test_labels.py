"""What jobs are called that go out again, and the status of a child that a node forked."""

from __future__ import annotations

from typing import Any

import pytest

from distgraph.core.model import Completed, Errored
from distgraph.core.plan import plan, pulled_id
from distgraph.core.recorded import errored
from distgraph.errors import NodeExited
from tests.support.core_graphs import checkpoint
from workers.worker.forked import status_of
from workers.worker.labels import MOST, Labels


def test_a_name_is_told_once() -> None:
    labels = Labels()
    labels.note("1", "graph.node")
    assert [labels.take("1"), labels.take("1"), labels.take("2")] == ["graph.node", "", ""]


def test_of_many_names_the_first_are_forgotten() -> None:
    labels = Labels()
    for number in range(MOST + 1):
        labels.note(str(number), "graph.node")
    assert [labels.take("0"), labels.take("1")] == ["", "graph.node"]


def test_the_id_of_a_task_tells_its_node_where_an_edge_led_to_it() -> None:
    found = checkpoint("a", "b")
    assert [task.id for task in plan(found)] == [
        pulled_id(found.id, found.step, "", name) for name in ("a", "b")
    ]


def exited(code: Any) -> Errored:
    told = NodeExited("no")
    told.__cause__ = SystemExit(code)
    return errored(told)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Completed((), ()), 0),
        (errored(ValueError("no")), 1),
        (exited(None), 0),
        (exited(3), 3),
        (exited(-1), 255),
        (exited("no"), 1),
    ],
)
def test_a_child_ends_with_the_status_that_python_gives(result: Any, status: int) -> None:
    assert status_of(result) == status
