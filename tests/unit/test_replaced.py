"""Of the checkpoints of a run that leaves its last alone that one is listed."""

from __future__ import annotations

from typing import Any

from distgraph.checkpoint.replaced import LastOfRuns, in_place_of
from distgraph.core.model import ENDED, EXIT, ROUND, Checkpoint


def made(cp: str, parent: str | None, **metadata: Any) -> Checkpoint:
    return Checkpoint(cp, parent, 1, "loop", "", metadata=metadata)


def test_one_comes_in_the_place_of_another_that_the_same_run_made() -> None:
    before = made("b", "a", **{EXIT: "run", ROUND: "1"})
    assert in_place_of(before, made("c", "b", **{EXIT: "run", ROUND: "1"})).parent_id == "a"


def test_one_follows_what_another_run_or_round_made() -> None:
    new = made("c", "b", **{EXIT: "run", ROUND: "1"})
    for metadata in ({}, {EXIT: "other", ROUND: "1"}, {EXIT: "run", ROUND: "2"}):
        assert in_place_of(made("b", "a", **metadata), new).parent_id == "b"


def test_one_of_a_run_that_leaves_all_follows_the_one_before() -> None:
    new = made("c", "b")
    assert in_place_of(made("b", "a"), new, finished=True) == new


def test_the_last_one_of_each_run_is_seen() -> None:
    shown = LastOfRuns()
    newest_first = [{EXIT: "2"}, {EXIT: "2"}, {}, {EXIT: "1"}, {EXIT: "1"}, {}]
    assert [shown.has("", each) for each in newest_first] == [True, False, True, True, False, True]


def test_each_frame_shows_its_own() -> None:
    shown = LastOfRuns()
    assert shown.has("", {EXIT: ""})
    assert shown.has("sub:1", {EXIT: ""})


def test_a_graph_that_finished_is_seen_where_it_lasts() -> None:
    last = in_place_of(made("a", None), made("b", "a", **{EXIT: "1"}), finished=True)
    assert ENDED in last.metadata
    assert LastOfRuns().has("", last.metadata)
    assert LastOfRuns().has("sub", last.metadata)
    shown = LastOfRuns()
    assert not shown.has("sub:1", last.metadata)
    assert not shown.has("sub:1", {EXIT: "1"})
