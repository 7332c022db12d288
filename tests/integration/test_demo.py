"""The demonstration: counted on real workers, paused with nothing running, resumed."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.command import PROGRAM, Ended, Shell, running
from tests.support.processes import ROOT
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.redis, pytest.mark.celery]

FILES = 12


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"m{number}.py").write_text(f"def f{number}():\n    return {number}\n")
    (folder / "broken.py").write_text("def (\n")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def demo(*words: object, stdin: str = "") -> Ended:
    """Run the demo where the settings of the environment lead nowhere: it needs none."""
    nowhere = Shell("redis://127.0.0.1:1/0", "nowhere")
    return nowhere("demo", *map(str, words), stdin=stdin)


def using(folder: Path) -> list[int]:
    """Return the processes that have anything to do with a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            open_files = [file.path for file in process.open_files()]
            words = [*process.cmdline(), process.cwd(), *open_files]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(process.pid)
    return found


def members(out: Path) -> list[Path]:
    """Return the entries of the processes that hold the embedded Redis."""
    folder = out / ".distgraph" / "members"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_a_census_is_counted_and_published(source: Path, out: Path) -> None:
    ended = demo(source, "--yes", "--out", out, "--json")
    assert ended.code == 0, ended.err
    assert ended.data["status"] == "published"
    assert ended.data["totals"]["files"] == FILES + 1
    assert ended.data["files_per_second"] > 0
    report = json.loads((out / "report.json").read_text())
    assert report["totals"]["parsed"] == FILES
    assert (out / "report.html").stat().st_size > 1_000
    assert using(out) == []


def test_a_refused_census_publishes_nothing(source: Path, out: Path) -> None:
    ended = demo(source, "--no", "--out", out)
    assert ended.code == 0, ended.err
    assert "nothing was published" in ended.out
    assert not (out / "report.json").exists()


def test_a_detached_census_holds_nothing_and_its_command_finishes_it(
    source: Path, out: Path
) -> None:
    ended = demo(source, "--detach", "--out", out, "--json")
    assert ended.code == 0, ended.err
    assert ended.data["status"] == "waiting"
    assert using(out) == []
    assert not (out / ".distgraph" / "redis.sock").exists()
    assert not (out / "report.json").exists()
    command = shlex.split(ended.data["resume"])
    resumed = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((out / "report.json").read_text())["totals"]["files"] == FILES + 1
    assert using(out) == []


def test_without_a_terminal_it_detaches_and_prints_one_command(source: Path, out: Path) -> None:
    ended = demo(source, "--out", out)
    assert ended.code == 0, ended.err
    assert "no terminal" in ended.out
    (command,) = [line for line in ended.out.splitlines() if "demo --resume" in line]
    assert shlex.split(command)[-3:] == ["--resume", str(out), "--yes"]


def test_at_a_terminal_it_asks_until_the_answer_is_a_yes_or_a_no(source: Path, out: Path) -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.execv(sys.executable, [*PROGRAM, "demo", str(source), "--out", str(out)])
    screen = bytearray()

    def asked(times: int) -> bool:
        if select.select([terminal], [], [], 0)[0]:
            screen.extend(os.read(terminal, 4096))
        return screen.count(b"[y/n]") == times

    try:
        wait_until(lambda: asked(1), "the question")
        os.write(terminal, b"perhaps\n")
        wait_until(lambda: asked(2), "the question again")
        os.write(terminal, b"no\n")
        wait_until(lambda: asked(2) and b"Refused" in screen, "the end")
    finally:
        os.kill(pid, signal.SIGINT)
        os.waitpid(pid, 0)
        os.close(terminal)
    assert not (out / "report.json").exists()


def test_an_answered_census_cannot_be_resumed_again(source: Path, out: Path) -> None:
    demo(source, "--yes", "--out", out)
    ended = demo("--resume", out, "--yes")
    assert ended.code == 1
    assert "No census waits" in ended.err


def test_ctrl_c_stops_all_that_it_started(out: Path, tmp_path: Path) -> None:
    with running("demo", "--yes", "--out", str(out), log=tmp_path / "demo.log") as process:
        wait_until(lambda: len(members(out)) == 3, "two workers beside the demo")
        os.kill(process.pid, signal.SIGINT)
        wait_until(lambda: not process.alive, "the demo to end")
        assert process.returncode == 130
        assert "Traceback" not in process.output
        assert f"What was counted is kept: {shlex.join(PROGRAM)} demo --resume" in process.output
    assert using(out) == []


def test_a_killed_demo_takes_its_workers_and_redis_with_it(out: Path, tmp_path: Path) -> None:
    with running("demo", "--yes", "--out", str(out), log=tmp_path / "demo.log") as process:
        wait_until(lambda: len(members(out)) == 3, "two workers beside the demo")
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: using(out) == [], "everything to end")


def test_a_folder_that_is_none_starts_nothing(out: Path, tmp_path: Path) -> None:
    ended = demo(tmp_path / "nowhere", "--out", out)
    assert ended.code == 2
    assert "is not a folder" in ended.err
    assert not out.exists()
