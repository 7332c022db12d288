"""Which files the census lists and reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers.demo.sources import (
    Unlisted,
    UnreadableError,
    list_sources,
    read_source,
    standard_library,
)


def write(path: Path, data: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_python_files_are_listed_sorted_by_their_path(tmp_path: Path) -> None:
    for name in ("b.py", "a/z.py", "a.py", "notes.txt", "a/y.pyc"):
        write(tmp_path / name)
    assert list_sources(tmp_path).paths == ("a.py", "a/z.py", "b.py")


@pytest.mark.parametrize("folder", ["site-packages", "__pycache__", ".venv", "node_modules"])
def test_installed_cached_and_hidden_folders_are_passed_over(tmp_path: Path, folder: str) -> None:
    write(tmp_path / folder / "x.py")
    assert list_sources(tmp_path).paths == ()


def test_a_folder_named_like_a_file_is_entered(tmp_path: Path) -> None:
    write(tmp_path / "x.py" / "y.py")
    assert list_sources(tmp_path).paths == ("x.py/y.py",)


def test_a_loop_of_links_does_not_trap_the_walk(tmp_path: Path) -> None:
    write(tmp_path / "pkg" / "a.py")
    (tmp_path / "pkg" / "again").symlink_to(tmp_path)
    assert list_sources(tmp_path).paths == ("pkg/a.py",)


def test_a_name_that_is_not_utf8_is_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.py")).touch()
    listing = list_sources(tmp_path)
    assert listing.paths == ()
    assert listing.unlisted == (Unlisted("\\udcff.py", "the name is not UTF-8"),)


def test_a_folder_that_may_not_be_listed_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "closed" / "x.py")
    write(tmp_path / "open" / "y.py")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    # The superuser may list everything, so permissions alone prove nothing.
    monkeypatch.setattr(os, "scandir", guarded)
    listing = list_sources(tmp_path)
    assert listing.paths == ("open/y.py",)
    assert listing.unlisted == (Unlisted("closed", "Permission denied"),)


def test_a_root_that_is_no_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere is not a folder"):
        list_sources(tmp_path / "nowhere")


def test_reading_gives_the_bytes(tmp_path: Path) -> None:
    assert read_source(write(tmp_path / "a.py", b"\xff\0")) == b"\xff\0"


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="1,001 bytes, more than the 1,000 allowed"):
        read_source(write(tmp_path / "a.py", b"x" * 1001), limit=1000)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(UnreadableError, match="not a regular file"):
        read_source(tmp_path / "pipe.py")


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="No such file"):
        read_source(tmp_path / "gone.py")


def test_a_link_to_itself_says_so(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    with pytest.raises(UnreadableError, match="symbolic links"):
        read_source(tmp_path / "loop.py")


def test_the_standard_library_is_listed_with_its_packages() -> None:
    listing = list_sources(standard_library())
    assert {"os.py", "json/decoder.py", "concurrent/futures/thread.py"} <= set(listing.paths)
