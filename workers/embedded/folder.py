"""The folder of an embedded Redis: private to its user, reachable by a short path, with locks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from distgraph.errors import StoreUnavailable

with contextlib.suppress(ImportError):  # Windows, which `join` refuses
    import fcntl

SOCKET = "redis.sock"
LONGEST_SOCKET = 100
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)


def private(folder: Path) -> Path:
    """Return the absolute `folder`, made where it is missing, open to its owner alone."""
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
        if owner == os.geteuid():
            folder.chmod(0o700)
            return folder
    except OSError as refused:
        raise StoreUnavailable(f"The embedded Redis cannot use {folder}: {refused}.") from refused
    raise StoreUnavailable(
        f"{folder} belongs to the user with id {owner}, not to this process's ({os.geteuid()}). "
        "An embedded Redis serves one user; give a folder of your own."
    )


def short_socket(home: Path) -> Path:
    """Return the socket's path, by a link in the runtime folder where the plain one will not do.

    The kernel takes paths of about 100 bytes, and a URL plain characters.
    """
    plain = home / SOCKET
    if _fits(plain):
        return plain
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    links = private(runtime / f"distgraph-{os.geteuid()}")
    link = links / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    if not _fits(link / SOCKET):
        raise StoreUnavailable(
            f"No socket fits: {plain} and {link / SOCKET} are both over {LONGEST_SOCKET} bytes "
            "or hold characters that a URL cannot. Set XDG_RUNTIME_DIR to a shorter folder."
        )
    _point(link, home)
    return link / SOCKET


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_SOCKET and bool(_PLAIN.fullmatch(str(path)))


def _point(link: Path, home: Path) -> None:
    with contextlib.suppress(OSError):
        if link.readlink() == home:
            return
    fresh = link.with_name(f"{link.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(home)
    fresh.replace(link)


# --- locks --------------------------------------------------------------------------------------


def hold(descriptor: int) -> bool:
    """Lock an open file until its last descriptor is closed; False where somebody holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(descriptor: int) -> None:
    """Unlock an open file for all who share it, and close it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def held(path: Path) -> bool:
    """Whether a living process holds the lock on `path`; False when there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not hold(descriptor)
    finally:
        os.close(descriptor)
