"""The exception that a caller gets of what a worker recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from distgraph.core.model import Errored
from distgraph.errors import RemoteNodeError
from distgraph.graph.failures import rebuild


def recorded(error: Exception) -> Errored:
    """Return what is stored of `error`."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return Errored(kind, str(error), args=error.args)


def test_a_file_that_is_missing_is_still_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "report").read_text()
    made = rebuild(recorded(caught.value))
    assert isinstance(made, FileNotFoundError)
    assert made.errno == caught.value.errno
    assert str(tmp_path / "report") in "\n".join([str(made), *made.__notes__])


def test_an_error_that_says_all_by_itself_has_no_further_note() -> None:
    made = rebuild(recorded(ValueError("out of cheese")))
    assert (type(made), made.args) == (ValueError, ("out of cheese",))
    assert not [note for note in getattr(made, "__notes__", ()) if "cheese" in note]


def test_what_cannot_be_made_arrives_as_a_remote_error() -> None:
    made = rebuild(Errored("nowhere.Unknown", "out of cheese"))
    assert isinstance(made, RemoteNodeError)
    assert str(made) == "nowhere.Unknown: out of cheese"
