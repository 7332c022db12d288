"""Which files a census counts, and their bytes; everything it reads from the disk is read here."""

from __future__ import annotations

import os
import stat
import sysconfig
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 4_000_000
SKIPPED_FOLDERS = frozenset({"__pycache__", "dist-packages", "node_modules", "site-packages"})


class UnreadableError(Exception):
    """The file cannot be counted; the message says why in a few words."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A file or folder that the listing found but cannot hand on, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceListing:
    """The sorted paths of the Python files below a root, relative to it, and what was left out."""

    paths: tuple[str, ...]
    unlisted: tuple[Unlisted, ...]


def standard_library() -> Path:
    """Return the folder of the running interpreter's own standard library."""
    return Path(sysconfig.get_path("stdlib"))


def list_sources(root: Path) -> SourceListing:
    """List the `.py` files below `root`, which must be a folder (else NotADirectoryError).

    Links to folders are not followed, so a loop of links cannot trap the walk; hidden folders and
    those of installed packages are passed over.
    """
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is not a folder; name one that holds Python source")
    refused: list[OSError] = []
    found: list[str] = []
    for folder, children, names in os.walk(root, onerror=refused.append):
        children[:] = [child for child in children if _is_walked(child)]
        found += [_relative(Path(folder, name), root) for name in names if _is_source(name)]
    odd = [Unlisted(printable(path), "the name is not UTF-8") for path in found if _is_odd(path)]
    unlisted = odd + [_unlisted_folder(error, root) for error in refused]
    return SourceListing(
        paths=tuple(sorted(path for path in found if not _is_odd(path))),
        unlisted=tuple(sorted(unlisted, key=lambda item: item.path)),
    )


def read_source(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes, or raise UnreadableError."""
    try:
        status = path.stat()
        # Opening a pipe would wait for a writer that never comes.
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not a regular file")
        if status.st_size > limit:
            raise UnreadableError(f"{status.st_size:,} bytes, more than the {limit:,} allowed")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from error


def printable(text: str) -> str:
    """Return `text` with whatever UTF-8 cannot hold written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_walked(name: str) -> bool:
    return name not in SKIPPED_FOLDERS and not name.startswith(".")


def _is_source(name: str) -> bool:
    return name.endswith(".py")


def _is_odd(path: str) -> bool:
    return printable(path) != path


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _unlisted_folder(error: OSError, root: Path) -> Unlisted:
    path = _relative(Path(error.filename or root), root)
    return Unlisted(printable(path), error.strerror or type(error).__name__)
