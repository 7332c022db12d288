"""The commands that start, show, answer and remove runs, against real workers."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Shell, at_a_terminal, running
from tests.support.processes import Process
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.redis, pytest.mark.celery]

ERRANDS = "tests.support.apps.errands:graph"


@pytest.fixture(scope="module")
def shell(redis_server: RedisServer) -> Shell:
    return Shell(redis_server.url, f"t-{uuid.uuid4().hex[:16]}")


@pytest.fixture(scope="module")
def worker(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    process = shell.worker(ERRANDS, "--concurrency", "2", log=log)
    yield process
    process.end()


@pytest.fixture
def thread(worker: Process) -> str:
    return f"errand-{uuid.uuid4().hex[:8]}"


def start(shell: Shell, thread: str, **given: object) -> None:
    shell.here("run", ERRANDS, "--input", json.dumps(given), "--thread", thread)


def test_a_run_shows_its_updates_and_its_state(shell: Shell, thread: str) -> None:
    ended = shell("run", ERRANDS, "--input", '{"count": 3}', "--thread", thread)
    assert ended.code == 0, ended.err
    assert ended.out.count("errand  {") == 3
    assert f"success thread {thread}" in ended.out


def test_a_run_answers_programs_with_one_document(shell: Shell, worker: Process) -> None:
    ended = shell.here("run", ERRANDS, "--input", '{"count": 2}', "--json")
    assert ended.code == 0, ended.err
    assert ended.data["status"] == "success"
    assert sorted(ended.data["values"]["done"]) == [0, 1]
    assert ended.data["thread"]


def test_input_may_come_from_a_file(shell: Shell, thread: str, tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text('{"count": 1}')
    ended = shell.here("run", ERRANDS, "--input", f"@{tmp_path / 'input.json'}", "--json")
    assert ended.data["values"]["done"] == [0]


def test_a_run_that_asks_ends_with_3_and_a_resume_with_0(shell: Shell, thread: str) -> None:
    asked = shell("run", ERRANDS, "--input", '{"ask": "so?"}', "--thread", thread, "--json")
    assert asked.code == 3
    (question,) = asked.data["interrupts"]
    assert question["value"] == {"question": "so?"}
    words = ("--interrupt", question["id"], "--value", '"yes"', "--wait", "--target", ERRANDS)
    answered = shell("resume", thread, *words, "--json")
    assert answered.code == 0, answered.err
    assert answered.data["values"]["answer"] == "yes"


def test_a_run_that_fails_ends_with_1_and_can_be_retried(
    shell: Shell, thread: str, tmp_path: Path
) -> None:
    missing = tmp_path / "exists"
    given = json.dumps({"fails_until": str(missing)})
    failed = shell("run", ERRANDS, "--input", given, "--thread", thread, "--json")
    assert failed.code == 1
    assert "ValueError: the file is not there yet" in failed.err
    assert "Traceback" not in failed.err
    assert failed.data["status"] == "error"
    missing.touch()
    retried = shell("retry", thread, "--wait", "--target", ERRANDS)
    assert retried.code == 0, retried.err


def test_waiting_tells_why_a_retry_failed_again(shell: Shell, thread: str) -> None:
    start(shell, thread, fails_until="/nowhere/at/all")
    again = shell.here("retry", thread, "--wait", "--target", ERRANDS, "--json")
    assert again.code == 1
    assert "the file is not there yet" in again.data["error"]


def test_a_detached_run_goes_on_by_itself(shell: Shell, thread: str) -> None:
    started = shell.here("run", ERRANDS, "--input", '{"count": 2}', "--thread", thread, "--detach")
    assert started.code == 0
    assert "run " in started.out

    def done() -> bool:
        ended = shell.here("show", thread, "--target", ERRANDS, "--json")
        return ended.code == 0 and ended.data["status"] == "idle"

    wait_until(done, "the detached run to end")


def test_interrupted_threads_are_listed(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    listed = shell.here("threads", "--interrupted", "--graph", "errands", "--json")
    (found,) = [each for each in listed.data if each["thread"] == thread]
    assert (found["status"], found["graph"], found["served"]) == ("interrupted", "errands", True)
    assert [each["value"] for each in found["interrupts"]] == [{"question": "so?"}]
    assert (found["more_interrupts"], found["deadline"]) == (False, None)
    (row,) = (r for r in shell.here("threads", "--interrupted").out.splitlines() if thread in r)
    assert row.rstrip().endswith('{"question": "so?"}')
    counted = shell.here("threads", "--interrupted", "--since", "1h", "--count", "--json").data[
        "count"
    ]
    assert counted >= 1
    page = shell.here("threads", "--limit", "1", "--until", "2999-01-01").out
    cursor = page.splitlines()[-1].rpartition("--after ")[2]
    behind = shell.here("threads", "--after", cursor, "--json").data
    assert cursor not in [each["cursor"] for each in behind]


def test_a_thread_that_was_answered_is_still_served_by_its_version(
    shell: Shell, thread: str
) -> None:
    start(shell, thread, ask="so?")
    shell.here("resume", thread, "--value", "1", "--wait", "--target", ERRANDS)
    assert shell.here("show", thread, "--target", ERRANDS, "--json").data["served"] is True


def test_a_resting_thread_is_adopted_by_its_graph_as_it_is_now(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    adopted = shell.here("adopt", thread, "--target", ERRANDS, "--json")
    assert adopted.code == 0, adopted.err
    assert adopted.data == {"thread": thread, "adopted": True, "graph": "errands"}
    words = ("resume", thread, "--value", "1", "--wait", "--target", ERRANDS)
    assert shell.here(*words).code == 0
    refused = shell.here("adopt", thread)
    assert refused.code == 2
    assert "--target must name graph 'errands'" in refused.err


def test_waiting_for_nobody_is_told(redis_server: RedisServer, tmp_path: Path) -> None:
    shell = Shell(redis_server.url, f"t-{uuid.uuid4().hex[:16]}")
    worker = shell.worker(ERRANDS, "--pool", "solo", log=tmp_path / "worker.log")
    start(shell, "alone", ask="so?")
    worker.end()
    words = ("resume", "alone", "--value", "1", "--wait", "--target", ERRANDS)
    with running(*words, log=tmp_path / "resume.log", env=shell.env) as process:
        wait_until(lambda: "no live worker serves graph errands" in process.output, "the note")


def test_history_fits_a_narrow_terminal(shell: Shell, thread: str) -> None:
    start(shell, thread, count=0)
    checkpoints = shell.here("history", thread, "--target", ERRANDS, "--json").data
    listed = shell.here("history", thread, "--target", ERRANDS).out
    assert all(each["checkpoint"] in listed for each in checkpoints)


def test_show_tells_the_question_and_the_state(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    shown = shell.here("show", thread, "--target", ERRANDS, "--json").data
    assert shown["status"] == "interrupted"
    assert shown["next"] == ["check"]
    assert shown["values"]["ask"] == "so?"
    assert [each["value"] for each in shown["interrupts"]] == [{"question": "so?"}]


def test_show_tells_which_node_failed_and_where(shell: Shell, thread: str) -> None:
    start(shell, thread, fails_until="/nowhere/at/all")
    shown = shell.here("show", thread, "--target", ERRANDS, "--json").data
    (failure,) = shown["failures"]
    assert (failure["node"], failure["message"]) == ("check", "the file is not there yet")
    assert (shown["next"], shown["tasks"]) == (["check"], {"failed": 1})
    told = shell.here("show", thread, "--target", ERRANDS).out
    assert "node 'check' failed: ValueError: the file is not there yet" in told
    assert 'raise ValueError("the file is not there yet")' in told
    by_key = shell.here("show", shown["key"], "--target", ERRANDS, "--json").data
    assert by_key["thread"] == thread
    assert by_key["failures"] == shown["failures"]


def test_show_tells_the_last_runs(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    shell.here("resume", thread, "--value", '"yes"', "--wait", "--target", ERRANDS)
    last, first = shell.here("show", thread, "--target", ERRANDS, "--json").data["runs"]
    assert (first["kind"], first["status"]) == ("start", "interrupted")
    assert (last["kind"], last["status"], last["by"]) == ("resume", "success", "")
    assert last["began"] >= first["ended"]
    shown = shell.here("show", thread, "--target", ERRANDS).out
    facts = shell.here("show", thread, "--target", ERRANDS, "--json").data
    (listed,) = (each for each in shell.here("threads", "--json").data if each["thread"] == thread)
    assert (facts["created"], facts["updated"]) == (listed["created"], listed["updated"])
    assert f"{facts['updated'][:19].replace('T', ' ')} UTC" in shown
    assert first["id"] in shown
    assert shown.index(last["id"]) < shown.index(first["id"])
    (told,) = shell.here("show", thread, "--target", ERRANDS, "--json").data["answers"]
    assert (told["question"], told["value"], told["by"]) == ({"question": "so?"}, "yes", "")
    assert told["asked"] <= told["answered"]
    assert told["answered"] == last["began"]
    steps = shell.here("history", thread, "--target", ERRANDS, "--json").data
    (again,) = (each for step in steps for each in step["answers"])
    assert (again["value"], again["answered"]) == ("yes", told["answered"])
    assert "yes, " in shell.here("history", thread, "--target", ERRANDS).out


def test_a_state_of_classes_that_were_not_named_says_how_to_name_them(
    shell: Shell, thread: str
) -> None:
    start(shell, thread, ask="so?")
    refused = shell.here("show", thread)
    assert refused.code == 1
    assert "--target module:graph" in refused.err
    assert refused.err.count("\n") == 1


def test_history_lists_checkpoints_newest_first(shell: Shell, thread: str) -> None:
    start(shell, thread, count=2)
    steps = [
        each["step"] for each in shell.here("history", thread, "--target", ERRANDS, "--json").data
    ]
    assert steps == [3, 2, 1, 0, -1]
    assert "errand x 2" in shell.here("history", thread, "--target", ERRANDS).out


def test_a_cancelled_thread_asks_no_more(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    assert shell.here("cancel", thread).out == "Cancelled.\n"
    again = shell.here("cancel", thread, "--json")
    assert (again.code, again.data["cancelled"]) == (0, False)
    refused = shell.here("resume", thread, "--value", "1", "--target", ERRANDS)
    assert refused.code == 1
    assert refused.err.startswith("distgraph: ")


def test_a_deleted_thread_is_gone(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    assert shell("delete", thread, "--yes", "--target", ERRANDS).code == 0
    for words in (("show", thread), ("delete", thread), ("follow", thread)):
        missing = shell.here(*words)
        assert missing.code == 1
        assert missing.err == f"distgraph: No thread '{thread}' is stored.\n"


def test_nobody_deletes_without_a_yes(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    for words in (("delete", thread), ("delete", thread, "--json")):
        refused = shell.here(*words, stdin="y\n")
        assert refused.code == 2
        assert refused.err.endswith("there is nobody to ask. Give --yes.\n")
    still = shell.here("show", thread, "--target", ERRANDS, "--json").data
    assert still["status"] == "interrupted"


@pytest.mark.parametrize(("said", "code"), [("n\n", 1), ("\n", 1), ("\x04", 1), ("yes\n", 0)])
def test_a_person_is_asked_before_a_thread_is_deleted(
    shell: Shell, thread: str, said: str, code: int
) -> None:
    start(shell, thread, ask="so?")
    ended = at_a_terminal(shell, said, "delete", thread)
    assert f"Delete thread {thread} of graph errands, which is interrupted? [y/N]" in ended.out
    assert ended.code == code
    assert (shell.here("show", thread, "--target", ERRANDS).code == 0) is bool(code)


def test_a_cancel_takes_the_connection_of_its_target(shell: Shell, thread: str) -> None:
    start(shell, thread, ask="so?")
    assert shell.here("cancel", thread, "--target", ERRANDS).out == "Cancelled.\n"


def test_a_run_is_followed_to_its_end(shell: Shell, thread: str) -> None:
    run = ("run", ERRANDS, "--input", '{"count": 2, "ask": "so?"}', "--thread", thread)
    assert shell.here(*run, "--detach").code == 0
    with_updates = shell.here("follow", thread, "--target", ERRANDS)
    assert with_updates.code == 3
    assert with_updates.out.count("errand  {") == 2
    assert f"interrupted thread {thread}" in with_updates.out
    shell.here("resume", thread, "--value", '"yes"', "--wait", "--target", ERRANDS)
    ended = shell.here("follow", thread, "--target", ERRANDS, "--json")
    assert (ended.code, ended.data["values"]["answer"]) == (0, "yes")


def test_a_run_that_failed_is_followed_to_its_failure(shell: Shell, thread: str) -> None:
    start(shell, thread, fails_until="/nowhere/at/all")
    ended = shell.here("follow", thread, "--target", ERRANDS)
    assert ended.code == 1
    assert "ValueError: the file is not there yet (During task with name 'check'" in ended.err
    assert ended.err.count("\n") == 1


def test_nothing_is_wrapped_in_a_pipe(shell: Shell, worker: Process) -> None:
    thread = f"errand-{uuid.uuid4().hex}-{'long' * 60}"
    start(shell, thread, ask="so? " * 60)
    assert thread in shell.here("threads").out
    (row,) = (line for line in shell.here("threads").out.splitlines() if thread in line)
    assert "interrupted" in row
    (row,) = (
        r
        for r in shell.here("history", thread, "--target", ERRANDS).out.splitlines()[1:]
        if "check" in r
    )
    assert " ago " in row
    assert "so? " * 60 in shell.here("show", thread, "--target", ERRANDS).out


def test_input_that_the_state_cannot_take_is_one_clear_line(shell: Shell, thread: str) -> None:
    refused = shell.here("run", ERRANDS, "--input", "[]", "--json")
    assert refused.code == 1
    assert "Expected dict, got []. The input must be a dict of state keys." in refused.err
    assert refused.err.count("\n") == 1


def test_one_sweep_finds_nothing_to_do_on_a_healthy_system(shell: Shell, worker: Process) -> None:
    assert shell.here("sweep", "--json").data == {"sent": 0}


def test_a_graph_without_a_backend_runs_where_the_options_say(shell: Shell, thread: str) -> None:
    local = "tests.support.apps.errands:local"
    ended = shell.here("run", local, "--input", '{"count": 1}', "--json")
    assert ended.code == 0, ended.err


def test_ctrl_c_ends_with_130_and_tells_what_becomes_of_the_run(
    shell: Shell, tmp_path: Path
) -> None:
    nobody = Shell(shell.redis, f"t-{uuid.uuid4().hex[:16]}")
    words = ("run", ERRANDS, "--input", "{}", "--thread", "it waits")
    with running(*words, log=tmp_path / "run.log", env=nobody.env) as process:
        wait_until(lambda: "thread it waits" in process.output, "the run to begin")
        os.kill(process.pid, signal.SIGINT)
        wait_until(lambda: not process.alive, "the command to end")
        assert process.returncode == 130
        follow = f"distgraph follow 'it waits' --target {ERRANDS}"
        end = "distgraph cancel 'it waits'"
        said = f"The run goes on. Follow it with: {follow} - end it with: {end}"
        assert process.output == f"thread it waits\ndistgraph: {said}\n"
    again = tmp_path / "follow.log"
    with running("follow", "it waits", log=again, env=nobody.env) as process:
        wait_until(lambda: "no live worker" in process.output, "the note")
        os.kill(process.pid, signal.SIGINT)
        wait_until(lambda: not process.alive, "the command to end")
        assert process.returncode == 130
        assert "Follow it with: distgraph follow 'it waits' - end" in process.output


def test_a_busy_thread_is_told_of_in_the_words_of_the_command_line(shell: Shell) -> None:
    nobody = Shell(shell.redis, f"t-{uuid.uuid4().hex[:16]}")
    run = ("run", ERRANDS, "--input", "{}", "--thread", "t", "--detach")
    assert nobody.here(*run).code == 0
    for words in (run, ("resume", "t", "--value", "1"), ("retry", "t")):
        refused = nobody.here(*words)
        assert refused.code == 1
        assert "is busy with run" in refused.err
        assert "or end it with distgraph cancel." in refused.err
    adopted = nobody.here("adopt", "t", "--target", ERRANDS)
    assert "or have it begin again in the new version: --restart." in adopted.err


def test_a_worker_stops_when_its_input_ends(shell: Shell, tmp_path: Path) -> None:
    words = ("worker", ERRANDS, "--pool", "solo", "--stop-at-eof")
    with running(*words, log=tmp_path / "worker.log", env=shell.env) as process:
        wait_until(lambda: not process.alive, "the worker to end")
        assert process.returncode == 0, process.output
