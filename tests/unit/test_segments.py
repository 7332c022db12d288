"""What a process remembers of segments and lines, and how checkpoints in Redis name them."""

from __future__ import annotations

from checkpoint_redis import references
from checkpoint_redis.known_lines import MOST, KnownLines
from distgraph.checkpoint.lines import place
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Line
from workers.worker.segments import Segments

LINE = Line("l", 2, 7, 99, b"12345678")
FIRST = references.Extent("log@l", 1)
REFS = references.refs_of({"n": "r", "log": "v"}, {"log": LINE})


def test_the_segments_that_were_seen_are_known_in_their_frame() -> None:
    seen = Segments()
    seen.keep("x", "", {"log@l;1": b"one", "log@l;2": b"two"})
    assert seen.find("x", "", ("log@l;1", "log@l;3")) == {"log@l;1": b"one"}
    assert seen.find("x", "f", ("log@l;1",)) == seen.find("y", "", ("log@l;1",)) == {}


def test_nothing_but_segments_is_kept() -> None:
    seen = Segments()
    seen.keep("x", "", {"log@v": b"whole", "log@l;2": b"", "log@l;3": None})
    assert seen.find("x", "", ("log@v", "log@l;2", "log@l;3")) == {}


def test_those_that_were_not_asked_for_longest_go_first() -> None:
    seen = Segments(most_bytes=20)
    seen.keep("x", "", {"a@l;1": b"x" * 10, "b@l;1": b"x" * 10})
    seen.find("x", "", ("a@l;1",))
    seen.keep("x", "", {"c@l;1": b"x" * 10})
    assert seen.find("x", "", ("a@l;1", "b@l;1", "c@l;1")).keys() == {"a@l;1", "c@l;1"}


def test_it_is_known_how_far_the_line_reaches_that_was_seen_last() -> None:
    seen = Segments(most_bytes=20)
    assert seen.reach("x", "") == {}
    seen.keep("x", "", {"log@l;2": b"x" * 5, "log@l;1": b"x" * 5, "n@v": b"x"})
    assert seen.reach("x", "") == {"log@l": 2}
    assert seen.reach("x", "f") == seen.reach("y", "") == {}
    seen.keep("x", "", {"log@m;1": b"x" * 5})
    assert seen.reach("x", "") == {"log@m": 1}


def test_a_line_whose_last_segment_went_is_not_known() -> None:
    seen = Segments(most_bytes=20)
    seen.keep("x", "", {"a@l;2": b"x" * 10, "a@l;1": b"x" * 10})
    seen.keep("y", "", {"a@l;1": b"x" * 10})
    assert seen.reach("x", "") == {}
    assert seen.reach("y", "") == {"a@l": 1}


def test_a_segment_that_was_written_anew_takes_the_place_of_the_other() -> None:
    seen = Segments(most_bytes=20)
    seen.keep("x", "", {"a@l;1": b"x" * 15})
    seen.keep("x", "", {"a@l;1": b"y" * 10, "a@l;2": b"z" * 10})
    assert seen.find("x", "", ("a@l;1", "a@l;2")) == {"a@l;1": b"y" * 10, "a@l;2": b"z" * 10}


def test_a_saver_remembers_the_lines_of_the_last_checkpoints() -> None:
    known = KnownLines()
    for n in range(MOST + 1):
        known.keep(("x", "", f"{n}"), {"log": ("v", LINE)})
    assert known.get(("x", "", "0")) is None
    assert known.get(("x", "", "1")) == {"log": ("v", LINE)}


def test_values_and_segments_have_names() -> None:
    assert list(REFS) == ["n@r", references.Extent("log@l", 2, "99:3132333435363738")]
    assert references.names(REFS) == ("n@r", "log@l;1", "log@l;2")
    assert references.names(REFS, beyond=True) == ("n@r", "log@l;1", "log@l;2", "log@l;3")


def test_the_last_segment_stands_for_all_before_it() -> None:
    held = ("n@r", "log@v")
    assert references.needs(REFS, held, ()) == ["n@r", "log@l;2"]
    assert references.needs(REFS, held, ("n@r", "log@l;2")) == ["log@l;1"]
    assert references.needs((FIRST,), (), ("log@l;1",)) == []


def test_only_a_segment_that_goes_on_has_to_find_its_place_free() -> None:
    assert references.free(REFS, ("log@l;2",)) == ["log@l;2"]
    assert references.free(REFS, ()) == references.free((FIRST,), ("log@l;1",)) == []


def test_a_line_that_another_fork_continues_is_closed() -> None:
    lines = {"log": LINE}
    assert references.read_lines(lines, {"log@l;2": b"x", "log@l;3": None}) == lines
    (closed,) = references.read_lines(lines, {"log@l;3": b""}).values()
    assert closed == Line("l", 2, 7, 99, b"")


def test_a_list_is_read_from_its_segments_and_is_missing_without_one() -> None:
    versions = {"n": "r", "log": "v"}

    def read(blobs: dict[str, bytes | None]) -> object:
        lines = {"log": LINE}
        return references.read_values(versions, lines, blobs, lambda _, blob: list(blob))

    assert read({"n@r": b"a", "log@l;1": b"bc", "log@l;2": b"d"}) == {
        "n": list(b"a"),
        "log": list(b"bcd"),
    }
    assert read({"n@r": b"a", "log@l;2": b"d"}) == {"n": list(b"a")}


def test_known_segments_are_compared_with_what_is_referred_to() -> None:
    dumps = JsonPlusSerializer().dumps
    first, last, other = dumps(["x" * 5_000]), dumps(["y"]), dumps(["z"])
    whole = place(dumps, 0, "l", ["x" * 5_000]).line
    assert whole is not None
    line = place(dumps, 2**20, "l", ["x" * 5_000, "y"], whole).line
    assert line is not None
    (ref,) = references.refs_of({"log": "v"}, {"log": line})
    assert isinstance(ref, references.Extent)
    for known, blob, doubted in (
        (("log@l;1",), last, []),
        (("log@l;1",), other, ["log@l;1", "log@l;2"]),
        (("log@l;2",), None, ["log@l;1", "log@l;2"]),
        ((), other, []),
    ):
        blobs = {"log@l;1": first, "log@l;2": blob}
        assert references.doubtful((ref,), known, blobs) == doubted
    closed = references.Extent("log@l", 2)
    assert references.doubtful((closed,), ("log@l;1",), {"log@l;1": first, "log@l;2": last})
