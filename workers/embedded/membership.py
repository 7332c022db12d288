"""The embedded Redis: a real server on a private socket, shared by the processes of one user.

The first process to join starts the server, the last one to leave stops it. What decides who is
there are locks that the kernel drops with their process, never process ids: a killed member is not
counted, and no signal is ever sent. Where the folder was removed before, which has the locks, open
connections decide, which the kernel drops too.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from distgraph.errors import StoreUnavailable

from . import server as embedded_server
from .folder import held, hold, private, release, short_socket
from .hold import Hold
from .server import EmbeddedRedis

TURN_WITHIN = 120.0
MEMBERS = "members"


def default_folder() -> Path:
    """Return ``$XDG_DATA_HOME/distgraph/default``, by default below ``~/.local/share``."""
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    if not base.is_absolute():
        base = Path.home() / ".local" / "share"
    return base / "distgraph" / "default"


def join(folder: Path | None = None) -> Membership:
    """Start the server whose data lives in `folder`, or join the one that runs.

    Returns when it answers, its data loaded. Raises StoreUnavailable where it cannot run: on
    Windows, without a redis-server or valkey-server, in a folder of another user.
    """
    if sys.platform == "win32":
        raise StoreUnavailable(
            "The embedded Redis needs Unix sockets and locks, which Windows lacks. Run a Redis "
            "server elsewhere (WSL, a container) and give its URL."
        )
    home = private(folder or default_folder())
    server = EmbeddedRedis(home, short_socket(home))
    with _turn(home):
        embedded_server.ensure(server)
        return Membership(server)


class Membership:
    """One membership: while it lasts the server runs. A context manager that leaves at its end.

    A process that ends without leaving leaves at its exit; one that is killed is not counted any
    more. It belongs to the process that joined: a forked child can use the server, and neither
    counts nor leaves.
    """

    def __init__(self, server: EmbeddedRedis) -> None:
        """Enter the member list; the caller has its turn at the folder."""
        self.server = server
        self._pid = os.getpid()
        members = private(server.folder / MEMBERS)
        descriptor, name = tempfile.mkstemp(prefix=f"{self._pid}-", dir=members)
        hold(descriptor)
        self._descriptor: int | None = descriptor
        self._entry = Path(name)
        self._hold = Hold(server)
        atexit.register(self.leave)
        _close_in_children(self)

    @property
    def url(self) -> str:
        """The server's URL for redis-py."""
        return self.server.redis_url

    @property
    def broker_url(self) -> str:
        """The server's URL for Celery and kombu."""
        return self.server.broker_url

    def leave(self) -> None:
        """Give the membership up; the last one stops the server and waits until it is gone.

        Its data is on disk then; without its folder it has none. Leaving twice, or in a forked
        child, does nothing.
        """
        if self._descriptor is None or os.getpid() != self._pid:
            return
        descriptor, self._descriptor = self._descriptor, None
        atexit.unregister(self.leave)
        if _is_at(self._entry, descriptor):
            self._leave_folder(descriptor)
        else:
            release(descriptor)
            self._hold.end_with_the_last()
        self._hold.drop()

    def _leave_folder(self, descriptor: int) -> None:
        with _turn(self.server.folder):
            self._entry.unlink(missing_ok=True)
            release(descriptor)
            if not _living(self._entry.parent):
                embedded_server.stop(self.server)

    def forget(self) -> None:
        """Drop, in a forked child, the inherited hold on the entry; the parent keeps its own."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._hold.drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()


def _close_in_children(lease: Membership) -> None:
    """Have forks drop the lock that they inherit, else it would outlive its owner's death."""
    found = weakref.ref(lease)

    def forget() -> None:
        if (inherited := found()) is not None:
            inherited.forget()

    os.register_at_fork(after_in_child=forget)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is still what is at ``path``, and its folder thus not gone."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _living(members: Path) -> list[Path]:
    """Return the entries of living members; those of the dead are removed."""
    living = []
    for entry in members.iterdir():
        if held(entry):
            living.append(entry)
        else:
            entry.unlink()
    return living


@contextlib.contextmanager
def _turn(home: Path) -> Iterator[None]:
    """Be the only process that starts, stops, joins or leaves."""
    lock = FileLock(home / "lock", timeout=TURN_WITHIN)
    try:
        lock.acquire()
    except Timeout as late:
        raise StoreUnavailable(
            f"Another process has been starting or stopping the embedded Redis in {home} for "
            f"{TURN_WITHIN:g} s; see {home / embedded_server.LOG}."
        ) from late
    try:
        yield
    finally:
        lock.release()
