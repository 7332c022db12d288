"""What the commands are made of: targets, values, and how things are shown."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery, signals
from pydantic import BaseModel

from checkpoint_redis.keys import Thread
from distgraph.errors import (
    AmbiguousResume,
    BrokerUnavailable,
    NewerFormat,
    NothingToResume,
    StoreError,
    StoreUnavailable,
)
from distgraph.graph import END, START, StateGraph
from distgraph.types import Interrupt
from tests.support.apps import errands
from workers import CeleryBackend
from workers.cli import targets, worker
from workers.cli.ending import Ending, questions, shown
from workers.cli.exits import CommandError, Exit, code_of, describe
from workers.cli.facts import asks_of
from workers.cli.screen import ago, as_json, plain, size
from workers.cli.targets import Connection, graph_of, serving
from workers.cli.values import read_json, read_moment
from workers.client.answering import busy

ERRANDS = "tests.support.apps.errands:graph"


def another(**backend: Any) -> Any:
    builder = StateGraph(errands.Errands)
    builder.add_node("only", lambda _: {})
    builder.add_edge(START, "only").add_edge("only", END)
    return builder.compile(name="another", backend=CeleryBackend(**backend))


def test_a_target_on_a_backend_keeps_it() -> None:
    assert graph_of(ERRANDS, Connection()) is errands.graph
    assert serving([ERRANDS], Connection()) is errands.backend
    assert serving(["tests.support.apps.errands:backend"], Connection()) is errands.backend


def test_options_move_a_graph_to_another_redis() -> None:
    moved = graph_of(ERRANDS, Connection(redis="redis://elsewhere:1/0", namespace="there"))
    assert isinstance(moved.backend, CeleryBackend)
    assert moved.backend.settings.redis == "redis://elsewhere:1/0"
    assert moved.backend.registry.labels() == errands.backend.registry.labels()


def test_a_graph_without_a_backend_gets_one() -> None:
    backend = serving(["tests.support.apps.errands:local"], Connection())
    assert [each.graph.name for each in backend.registry.all()] == ["errands"]


def test_targets_of_one_place_are_served_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "another", another(), raising=False)
    backend = serving(["tests.support.apps.errands:another", ERRANDS], Connection())
    assert [each.graph.name for each in backend.registry.all()] == ["another", "errands"]


def test_targets_of_two_places_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = another(redis="redis://elsewhere:1/0")
    monkeypatch.setattr(errands, "another", elsewhere, raising=False)
    with pytest.raises(CommandError, match="elsewhere than the other targets"):
        serving(["tests.support.apps.errands:another", ERRANDS], Connection())


def test_a_backend_beside_another_is_refused() -> None:
    with pytest.raises(CommandError, match="backend of its own"):
        serving(["tests.support.apps.errands:backend"], Connection(redis="redis://elsewhere:1/0"))


def test_two_graphs_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = another().on(CeleryBackend(), name="errands")
    monkeypatch.setattr(errands, "another", other, raising=False)
    with pytest.raises(CommandError, match="already has another graph"):
        serving([ERRANDS, "tests.support.apps.errands:another"], Connection())


def test_modules_of_the_current_folder_are_found(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here_only.py").write_text("from tests.support.apps.errands import graph\n")
    monkeypatch.chdir(tmp_path)
    assert targets.load("here_only:graph") is errands.graph


def test_values_are_read_from_json_and_files(tmp_path: Any) -> None:
    (tmp_path / "value.json").write_text('{"a": 1}')
    assert read_json("--value", f"@{tmp_path / 'value.json'}") == {"a": 1}
    assert read_json("--value", '"yes"') == "yes"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("gone"), Exit.UNHEALTHY),
        (BrokerUnavailable("gone"), Exit.UNHEALTHY),
        (NothingToResume("no"), Exit.FAILED),
        (CommandError("no", Exit.USAGE), Exit.USAGE),
    ],
)
def test_errors_have_exit_codes(error: Exception, code: Exit) -> None:
    assert code_of(error) is code


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            busy(Thread("dg", "t"), "r"),
            "Thread 't' is busy with run r. Wait for it with distgraph follow",
        ),
        (AmbiguousResume("Which?", "Command()"), "Which? Name one with --interrupt ID."),
        (NothingToResume("Nothing.", "invoke()"), "Nothing. How the thread stands says distgraph"),
        (NothingToResume("It moved on."), "It moved on."),
        (NewerFormat("A thread", 2, 1, "9.9"), "A thread is stored in format 2"),
        (StoreError(), "StoreError"),
    ],
)
def test_what_to_do_is_said_in_the_words_of_the_command_line(error: Exception, says: str) -> None:
    assert describe(error).startswith(says)


def test_a_program_is_told_what_a_program_does() -> None:
    said = str(busy(Thread("dg", "t"), "r"))
    assert said == (
        "Thread 't' is busy with run r. Wait for it with backend.run('t', 'r').result(), or end it "
        "with backend.thread('t').cancel()."
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [("success", 0), ("interrupted", 3), ("error", 1), ("cancelled", 1)],
)
def test_outcomes_have_exit_codes(status: str, code: int) -> None:
    assert Ending("thread", "run", status).code == code


def test_text_from_elsewhere_cannot_steer_a_terminal() -> None:
    assert str(plain("a\x1b[31mb\nc\ud800")) == r"a\x1b[31mb\nc\ud800"
    assert str(plain("")) == "''"


def test_any_state_can_be_printed_as_json() -> None:
    given = {"note": errands.Note("so"), "when": timedelta(seconds=1), "odd": object}
    assert '"note": {"text": "so"}' in as_json(given)


def test_the_channels_that_a_graph_keeps_for_itself_are_not_shown() -> None:
    assert shown({"a": 1, "__start__": 2}) == {"a": 1}
    assert shown({"__root__": [1]}) == [1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s ago"), (61, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago")],
)
def test_moments_are_told_as_people_do(seconds: int, text: str) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now) == text


@pytest.mark.parametrize(
    ("count", "text"), [(12, "12 bytes"), (2_048, "2.0 KB"), (3 * 2**20, "3.0 MB")]
)
def test_sizes_are_told_in_units(count: int, text: str) -> None:
    assert size(count) == text


@dataclass
class Note:
    text: str
    more: Any = None


class Model(BaseModel):
    text: str


HALF_MODEL = Model.model_construct(text="\ud800")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"thread": "t\ud800"}, {"thread": "t\ud800"}),
        (
            {"\udcff": [1, None, {"a": ("\udcff", 2.5)}]},
            {"\udcff": [1, None, {"a": ["\udcff", 2.5]}]},
        ),
        ({1: "\ud800", "set": {"\ud800"}}, {"1": "\ud800", "set": ["\ud800"]}),
        ([Exit.OK, Note("\ud800", ["\udcff"])], [0, {"text": "\ud800", "more": ["\udcff"]}]),
        ([HALF_MODEL], [{"text": "\ud800"}]),
    ],
)
def test_half_a_character_is_shown_to_programs_as_it_is(value: Any, read: Any) -> None:
    told = as_json(value)
    assert told.isascii()
    assert json.loads(told) == read


def test_half_a_character_is_escaped_for_people() -> None:
    assert plain("t\ud800").plain == r"t\ud800"


# --- workers that end with who started them ---


def test_a_starter_that_dies_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 7, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    worker._wait_for_death(7)
    assert next(parents, None) is None


def test_a_starter_that_lives_on_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "DIES_WITHIN", 0.0)
    worker._wait_for_death(os.getppid())


@dataclass(frozen=True)
class Begun:
    """Celery's worker, as far as it is asked how it wants to end."""

    exitcode: int | None


@pytest.mark.parametrize(("wanted", "code"), [(None, 0), (0, 0), (1, 1)])
def test_a_worker_ends_with_the_code_that_celery_wants(
    monkeypatch: pytest.MonkeyPatch, wanted: int | None, code: int
) -> None:
    def main(_: list[str]) -> None:
        signals.worker_init.send(sender=Begun(wanted))

    app = Celery("codes", set_as_current=False)
    monkeypatch.setattr(app, "worker_main", main)
    assert worker.ended_with(app, []) == code


def test_one_that_could_not_begin_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery("codes", set_as_current=False)
    monkeypatch.setattr(app, "worker_main", lambda _: None)
    assert worker.ended_with(app, []) == 1


def test_a_question_tells_until_when_it_waits() -> None:
    at = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    lines = questions((Interrupt("so?", "1", at), Interrupt("why?", "2")))
    told = [str(line) for line in lines]
    assert told[0] == "question 1 until 2030-01-02 03:04:05 UTC"
    assert told[2] == "question 2"
    asks = [{"id": "1", "value": "so?", "deadline": at}, {"id": "2", "value": "why?"}]
    assert asks_of((Interrupt("so?", "1", at), Interrupt("why?", "2"))) == asks


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("30min", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=UTC)),
        ("2026-01-30T10:00:00+02:00", datetime(2026, 1, 30, 8, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_time_is_so_long_ago_or_a_date(said: str | None, meant: datetime | None) -> None:
    assert read_moment("--since", said, NOW) == meant


@pytest.mark.parametrize("said", ["", "yesterday", "2 h", "-1h", "1w", "999999d"])
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(CommandError, match=r"--since .* is no time"):
        read_moment("--since", said, NOW)
