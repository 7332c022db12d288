"""What every saver must do, as tests to be inherited: for ours and for anybody's.

    class TestMySaver(SaverConformance):
        @pytest.fixture
        def saver(self):
            return MySaver(...)

The fixture gives an empty saver to each test. pytest-asyncio must run the ``async`` tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from distgraph.checkpoint.base.config import empty_checkpoint
from distgraph.checkpoint.base.id import next_id
from distgraph.checkpoint.base.types import ERROR, INTERRUPT, NO_WRITES, RESUME, RunnableConfig
from distgraph.errors import SerializationError, ThreadNotFound
from distgraph.types import Interrupt, Send

LOOP: CheckpointMetadata = {"source": "loop", "step": 1, "parents": {}}
TASK = "11111111-0000-0000-0000-000000000000"
OTHER = "22222222-0000-0000-0000-000000000000"


def at(thread: Any, checkpoint_id: str | None = None, ns: str | None = "") -> RunnableConfig:
    """Return a config with those coordinates; None leaves one out."""
    given = {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    return {"configurable": {key: value for key, value in given.items() if value is not None}}


def id_of(config: Mapping[str, Any]) -> str:
    """Return the checkpoint id in ``config``."""
    found: str = config["configurable"]["checkpoint_id"]
    return found


def make(values: Mapping[str, Any], parent: str | None = None) -> Checkpoint:
    """Return a checkpoint after ``parent`` in which every channel has a new version."""
    checkpoint = empty_checkpoint()
    checkpoint["id"] = next_id(parent)
    checkpoint["channel_values"] = dict(values)
    checkpoint["channel_versions"] = dict.fromkeys(values, checkpoint["id"])
    return checkpoint


def put(
    saver: BaseCheckpointSaver,
    parent: RunnableConfig,
    values: Mapping[str, Any],
    metadata: CheckpointMetadata = LOOP,
) -> RunnableConfig:
    """Store a checkpoint after ``parent`` that writes all of ``values``; return its config."""
    checkpoint = make(values, parent["configurable"].get("checkpoint_id"))
    return saver.put(parent, checkpoint, metadata, checkpoint["channel_versions"])


def ids(saver: BaseCheckpointSaver, config: RunnableConfig | None, **options: Any) -> list[str]:
    """Return the ids of the checkpoints that ``saver.list`` yields."""
    return [id_of(found.config) for found in saver.list(config, **options)]


def get(saver: BaseCheckpointSaver, config: Mapping[str, Any]) -> CheckpointTuple:
    """Return what is stored at ``config``, which must be something."""
    found = saver.get_tuple(config)
    assert found is not None
    return found


def raised(expected: type[Exception], call: Callable[[], Any]) -> str:
    """Return the message of the exception of that type which ``call`` must raise."""
    try:
        call()
    except expected as error:
        return str(error)
    raise AssertionError(f"{expected.__name__} was not raised")


class SaverConformance:
    """The tests; each gets an empty saver from the fixture ``saver`` of the subclass."""

    # --- checkpoints --------------------------------------------------------------------------

    def test_what_was_put_comes_back(self, saver: BaseCheckpointSaver) -> None:
        checkpoint = make({"xs": ["a", ("b", 1)], "sent": [Send("n", {"k": b"v"})], "none": None})
        config = saver.put(at("t"), checkpoint, LOOP, checkpoint["channel_versions"])
        found = get(saver, config)
        assert found.checkpoint == checkpoint
        assert found.metadata == LOOP
        assert found.config == config == at("t", checkpoint["id"])
        assert found.parent_config is None
        assert found.pending_writes == []

    def test_keys_that_a_saver_does_not_know_are_kept(self, saver: BaseCheckpointSaver) -> None:
        checkpoint = make({})
        checkpoint["frontier"], checkpoint["last"] = ["a", 0], ["b"]
        found = get(saver, saver.put(at("t"), checkpoint, LOOP, {}))
        assert found.checkpoint == checkpoint

    def test_get_gives_the_checkpoint_alone(self, saver: BaseCheckpointSaver) -> None:
        config = put(saver, at("t"), {"n": 1})
        assert saver.get(config) == get(saver, config).checkpoint
        assert saver.get(at("nobody")) is None

    def test_the_latest_is_meant_when_no_id_is_given(self, saver: BaseCheckpointSaver) -> None:
        first = put(saver, at("t"), {"n": 1})
        second = put(saver, first, {"n": 2})
        found = get(saver, at("t"))
        assert found.config == second
        assert found.parent_config == first
        assert get(saver, first).checkpoint["channel_values"] == {"n": 1}

    def test_what_is_not_stored_is_none(self, saver: BaseCheckpointSaver) -> None:
        config = put(saver, at("t"), {"n": 1})
        assert saver.get_tuple(at("other")) is None
        assert saver.get_tuple(at("t", ns="inner")) is None
        assert saver.get_tuple(at("t", next_id(id_of(config)))) is None

    def test_an_unchanged_channel_need_not_be_written_again(
        self, saver: BaseCheckpointSaver
    ) -> None:
        first = put(saver, at("t"), {"kept": "same", "n": 1})
        versions = get(saver, first).checkpoint["channel_versions"]
        checkpoint = make({"kept": "same", "n": 2}, id_of(first))
        checkpoint["channel_versions"]["kept"] = versions["kept"]
        saver.put(first, checkpoint, LOOP, {"n": checkpoint["channel_versions"]["n"]})
        assert get(saver, at("t")).checkpoint["channel_values"] == {"kept": "same", "n": 2}
        assert get(saver, first).checkpoint["channel_values"] == {"kept": "same", "n": 1}

    def test_a_channel_that_was_written_but_is_empty_has_no_value(
        self, saver: BaseCheckpointSaver
    ) -> None:
        checkpoint = make({})
        checkpoint["channel_versions"] = {"gone": "1"}
        config = saver.put(at("t"), checkpoint, LOOP, {"gone": "1"})
        assert get(saver, config).checkpoint["channel_values"] == {}

    def test_namespaces_are_apart(self, saver: BaseCheckpointSaver) -> None:
        root = put(saver, at("t"), {"n": 1})
        inner = put(saver, at("t", ns="a:1|b:2"), {"n": 2})
        assert get(saver, at("t")).config == root
        assert get(saver, at("t", ns="a:1|b:2")).config == inner

    def test_stored_state_cannot_be_changed_through_what_was_given(
        self, saver: BaseCheckpointSaver
    ) -> None:
        xs = [1]
        config = put(saver, at("t"), {"xs": xs})
        saver.put_writes(config, [("xs", xs)], TASK)
        xs.append(2)
        found = get(saver, config)
        assert found.checkpoint["channel_values"] == {"xs": [1]}
        assert found.pending_writes == [(TASK, "xs", [1])]

    def test_stored_state_cannot_be_changed_through_what_was_read(
        self, saver: BaseCheckpointSaver
    ) -> None:
        config = put(saver, at("t"), {"xs": [1]})
        get(saver, config).checkpoint["channel_values"]["xs"].append(2)
        get(saver, config).metadata["parents"]["x"] = "y"
        assert get(saver, config).checkpoint["channel_values"] == {"xs": [1]}
        assert get(saver, config).metadata == LOOP

    def test_a_thread_id_may_be_any_text_and_any_object_counts_as_its_text(
        self, saver: BaseCheckpointSaver
    ) -> None:
        for thread in ("", " ", "a:b|c", "ä\n\0\N{PILE OF POO}", "\udcff", "x" * 10_000, 17):
            config = put(saver, at(thread), {"n": 1})
            assert config["configurable"]["thread_id"] == str(thread)
            assert get(saver, at(str(thread))).config == config
            assert ids(saver, at(thread)) == [id_of(config)]

    # --- metadata -----------------------------------------------------------------------------

    def test_scalars_of_the_config_are_added_to_the_metadata(
        self, saver: BaseCheckpointSaver
    ) -> None:
        config = at("t")
        config["configurable"] |= {"user": "u", "__hidden": 1, "flag": True, "source": "theirs"}
        config["metadata"] = {"user": "m", "list": [1], "text": "a\0b", "langgraph_step": 7}
        stored = put(saver, config, {})
        assert get(saver, stored).metadata == {**LOOP, "user": "m", "flag": True, "text": "ab"}

    def test_a_config_without_a_thread_is_refused(self, saver: BaseCheckpointSaver) -> None:
        configs: list[RunnableConfig] = [{}, {"configurable": {}}, {"configurable": {"x": 1}}]
        for config in configs:
            message = raised(ValueError, lambda c=config: saver.get_tuple(c))  # type: ignore[misc]
            assert "thread_id" in message
            raised(ValueError, lambda c=config: put(saver, {"configurable": {}, **c}, {}))  # type: ignore[misc]
            raised(ValueError, lambda c=config: saver.put_writes(c, [("a", 1)], TASK))  # type: ignore[misc]
        raised(ValueError, lambda: list(saver.list({"configurable": {}})))
        raised(ValueError, lambda: saver.put_writes(at("t"), [("a", 1)], TASK))

    # --- pending writes -----------------------------------------------------------------------

    def test_writes_belong_to_the_checkpoint_that_they_were_made_from(
        self, saver: BaseCheckpointSaver
    ) -> None:
        first = put(saver, at("t"), {"n": 1})
        second = put(saver, first, {"n": 2})
        saver.put_writes(first, [("n", 2), ("branch:to:b", None)], TASK)
        assert get(saver, first).pending_writes == [(TASK, "n", 2), (TASK, "branch:to:b", None)]
        assert get(saver, second).pending_writes == []

    def test_writes_come_back_in_the_order_of_their_storing(
        self, saver: BaseCheckpointSaver
    ) -> None:
        config = put(saver, at("t"), {})
        saver.put_writes(config, [("b", 1), ("a", 2), ("b", 3)], OTHER, "~__pregel_pull, z")
        saver.put_writes(config, [(NO_WRITES, None)], TASK, "~__pregel_pull, a")
        assert get(saver, config).pending_writes == [
            (OTHER, "b", 1),
            (OTHER, "a", 2),
            (OTHER, "b", 3),
            (TASK, NO_WRITES, None),
        ]

    def test_an_ordinary_write_is_never_overwritten(self, saver: BaseCheckpointSaver) -> None:
        config = put(saver, at("t"), {})
        saver.put_writes(config, [("a", 1)], TASK)
        saver.put_writes(config, [("a", 9), ("b", 2)], TASK)
        assert get(saver, config).pending_writes == [(TASK, "a", 1), (TASK, "b", 2)]

    def test_a_special_write_replaces_the_one_before(self, saver: BaseCheckpointSaver) -> None:
        config = put(saver, at("t"), {})
        saver.put_writes(config, [(INTERRUPT, [Interrupt("q", "1")])], TASK)
        saver.put_writes(config, [(RESUME, ["r"])], TASK)
        saver.put_writes(config, [(INTERRUPT, [Interrupt("again", "2")])], TASK)
        saver.put_writes(config, [(ERROR, "no")], OTHER)
        assert sorted(get(saver, config).pending_writes or [], key=str) == sorted(
            [
                (TASK, INTERRUPT, [Interrupt("again", "2")]),
                (TASK, RESUME, ["r"]),
                (OTHER, ERROR, "no"),
            ],
            key=str,
        )

    # --- what cannot be stored ----------------------------------------------------------------

    def test_a_value_that_cannot_be_stored_is_named_and_nothing_is_stored(
        self, saver: BaseCheckpointSaver
    ) -> None:
        def put_bad() -> RunnableConfig:
            return put(saver, at("t"), {"ok": 1, "bad": lambda: None})

        assert raised(SerializationError, put_bad).startswith("State key 'bad'")
        assert saver.get_tuple(at("t")) is None

    def test_a_write_that_cannot_be_stored_is_named_and_nothing_is_stored(
        self, saver: BaseCheckpointSaver
    ) -> None:
        config = put(saver, at("t"), {})
        writes = [("ok", 1), ("bad", {"deep": object()})]
        message = raised(SerializationError, lambda: saver.put_writes(config, writes, TASK))
        assert message.startswith("State key 'bad'")
        assert get(saver, config).pending_writes == []

    # --- list ---------------------------------------------------------------------------------

    def test_list_yields_the_newest_first(self, saver: BaseCheckpointSaver) -> None:
        first = put(saver, at("t"), {"n": 1})
        second = put(saver, first, {"n": 2})
        saver.put_writes(first, [("n", 2)], TASK)
        found = list(saver.list(at("t")))
        assert found == [get(saver, second), get(saver, first)]

    def test_list_of_a_checkpoint_is_that_one(self, saver: BaseCheckpointSaver) -> None:
        first = put(saver, at("t"), {"n": 1})
        put(saver, first, {"n": 2})
        assert ids(saver, first) == [id_of(first)]

    def test_list_without_a_config_is_of_all_threads(self, saver: BaseCheckpointSaver) -> None:
        stored = [put(saver, at(thread), {}) for thread in ("t", "u", "v")]
        assert ids(saver, None) == sorted(map(id_of, stored), reverse=True)

    def test_list_without_a_namespace_is_of_all_namespaces(
        self, saver: BaseCheckpointSaver
    ) -> None:
        root, inner = put(saver, at("t"), {}), put(saver, at("t", ns="a:1"), {})
        assert set(ids(saver, at("t", ns=None))) == {id_of(root), id_of(inner)}
        assert ids(saver, at("t")) == [id_of(root)]

    def test_list_stops_at_the_limit(self, saver: BaseCheckpointSaver) -> None:
        config = at("t")
        for _ in range(4):
            config = put(saver, config, {})
        assert len(ids(saver, at("t"), limit=3)) == 3  # noqa: PLR2004
        assert ids(saver, at("t"), limit=1) == [id_of(config)]
        assert ids(saver, at("t"), limit=0) == []

    def test_list_before_a_checkpoint_yields_older_ones(self, saver: BaseCheckpointSaver) -> None:
        first = put(saver, at("t"), {})
        second = put(saver, first, {})
        third = put(saver, second, {})
        assert ids(saver, at("t"), before=third) == [id_of(second), id_of(first)]
        assert ids(saver, at("t"), before=third, limit=1) == [id_of(second)]
        assert ids(saver, at("t"), before=first) == []

    def test_list_filters_by_metadata_before_it_counts(self, saver: BaseCheckpointSaver) -> None:
        first = put(saver, at("t"), {}, {"source": "input", "step": -1, "parents": {}})
        second = put(saver, first, {}, {"source": "loop", "step": 0, "parents": {}})
        third = put(saver, second, {}, {"source": "loop", "step": 1, "parents": {}})
        assert ids(saver, at("t"), filter={"source": "loop"}) == [id_of(third), id_of(second)]
        assert ids(saver, at("t"), filter={"source": "input"}, limit=1) == [id_of(first)]
        assert ids(saver, at("t"), filter={"source": "loop", "step": 0}) == [id_of(second)]
        assert ids(saver, at("t"), filter={"nothing": None}) == []

    # --- threads ------------------------------------------------------------------------------

    def test_delete_thread_leaves_the_others(self, saver: BaseCheckpointSaver) -> None:
        gone, kept = put(saver, at("gone"), {"n": 1}), put(saver, at("kept"), {"n": 2})
        put(saver, at("gone", ns="a:1"), {"n": 1})
        for config in (gone, kept):
            saver.put_writes(config, [("n", 3)], TASK)
        saver.delete_thread("gone")
        saver.delete_thread("never was")
        assert ids(saver, None) == [id_of(kept)]
        assert get(saver, kept).pending_writes == [(TASK, "n", 3)]
        put(saver, at("gone"), {})
        assert get(saver, at("gone")).pending_writes == []

    def test_copy_thread_copies_history_namespaces_and_writes(
        self, saver: BaseCheckpointSaver
    ) -> None:
        first = put(saver, at("t"), {"n": 1})
        put(saver, at("t", ns="a:1"), {"m": 1})
        saver.put_writes(first, [("n", 2)], TASK)
        put(saver, first, {"n": 2})
        saver.copy_thread("t", "copy")
        assert ids(saver, at("copy", ns=None)) == ids(saver, at("t", ns=None))
        copied = get(saver, at("copy", id_of(first)))
        assert copied.checkpoint == get(saver, first).checkpoint
        assert copied.pending_writes == [(TASK, "n", 2)]
        saver.delete_thread("t")
        assert get(saver, at("copy")).checkpoint["channel_values"] == {"n": 2}

    def test_copy_thread_refuses_a_missing_source_and_a_target_in_use(
        self, saver: BaseCheckpointSaver
    ) -> None:
        kept = put(saver, at("t"), {"n": 1})
        put(saver, at("other"), {"n": 2})
        raised(ThreadNotFound, lambda: saver.copy_thread("nobody", "new"))
        raised(ValueError, lambda: saver.copy_thread("other", "t"))
        assert get(saver, at("t")).config == kept

    def test_prune_keeps_the_latest_of_each_namespace_with_its_values(
        self, saver: BaseCheckpointSaver
    ) -> None:
        first = put(saver, at("t"), {"old": 1, "n": 1})
        old = get(saver, first).checkpoint["channel_versions"]["old"]
        checkpoint = make({"old": 1, "n": 2}, id_of(first))
        checkpoint["channel_versions"]["old"] = old
        last = saver.put(first, checkpoint, LOOP, {"n": checkpoint["channel_versions"]["n"]})
        saver.put_writes(last, [("n", 3)], TASK)
        inner, other = put(saver, at("t", ns="a:1"), {}), put(saver, at("u"), {})
        before = get(saver, last)
        saver.prune(["t", "never was"])
        assert set(ids(saver, None)) == {id_of(last), id_of(inner), id_of(other)}
        assert get(saver, last) == before

    def test_called_graphs_go_with_the_checkpoints_that_they_were_called_from(
        self, saver: BaseCheckpointSaver
    ) -> None:
        first = put(saver, at("t"), {}, {**LOOP, "run_id": "one"})
        last = put(saver, first, {})
        old, new, around = ({"": id_of(each)} for each in (first, last, last))
        put(saver, at("t", ns="a:1"), {}, {**LOOP, "parents": old})
        inner = put(saver, at("t", ns="a:2|1"), {}, {**LOOP, "parents": new})
        below = {**around, "a:2|1": id_of(inner)}
        leaf = put(saver, at("t", ns="a:2|1|b:3"), {}, {**LOOP, "parents": below})
        lasting = put(saver, at("t", ns="a"), {}, {**LOOP, "parents": old})
        saver.copy_thread("t", "u")
        saver.prune(["t"])
        saver.delete_for_runs(["one"])
        kept = {id_of(each) for each in (last, inner, leaf, lasting)}
        for thread in ("t", "u"):
            assert set(ids(saver, at(thread, ns=None))) == kept

    def test_prune_may_delete_and_refuses_other_strategies(
        self, saver: BaseCheckpointSaver
    ) -> None:
        kept, _ = put(saver, at("t"), {}), put(saver, at("u"), {})
        saver.prune(["u"], strategy="delete")
        raised(ValueError, lambda: saver.prune(["t"], strategy="all but mine"))
        assert ids(saver, None) == [id_of(kept)]

    def test_delete_for_runs_deletes_what_those_runs_stored(
        self, saver: BaseCheckpointSaver
    ) -> None:
        first = put(saver, at("t"), {"n": 1}, {**LOOP, "run_id": "one"})
        second = put(saver, first, {"n": 2}, {**LOOP, "run_id": "two"})
        saver.put_writes(second, [("n", 3)], TASK)
        other = put(saver, at("u"), {"n": 1}, {**LOOP, "run_id": "two"})
        saver.delete_for_runs(["two", "three"])
        assert ids(saver, None) == [id_of(first)]
        assert saver.get_tuple(other) is None
        assert get(saver, at("t")).checkpoint["channel_values"] == {"n": 1}

    # --- asyncio and threads ------------------------------------------------------------------

    async def test_the_async_methods_do_the_same(self, saver: BaseCheckpointSaver) -> None:
        checkpoint = make({"n": 1})
        config = await saver.aput(at("t"), checkpoint, LOOP, checkpoint["channel_versions"])
        await saver.aput_writes(config, [("n", 2)], TASK)
        found = await saver.aget_tuple(at("t"))
        assert found == get(saver, config)
        assert await saver.aget(at("t")) == checkpoint
        assert [each async for each in saver.alist(at("t"), limit=1)] == [found]

    async def test_the_async_thread_methods_do_the_same(self, saver: BaseCheckpointSaver) -> None:
        first = put(saver, at("t"), {"n": 1}, {**LOOP, "run_id": "one"})
        last = put(saver, first, {"n": 2})
        await saver.acopy_thread("t", "u")
        await saver.aprune(["t"])
        assert ids(saver, at("t")) == [id_of(last)]
        await saver.adelete_for_runs(["one"])
        assert ids(saver, at("u")) == [id_of(last)]
        await saver.adelete_thread("u")
        assert ids(saver, at("u")) == []

    def test_many_threads_may_write_at_once(self, saver: BaseCheckpointSaver) -> None:
        config = put(saver, at("t"), {})

        def write(number: int) -> None:
            saver.put_writes(config, [("n", number)], f"{number}")
            put(saver, at(f"t{number}"), {"n": number})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(64)))
        written = {value for _, _, value in get(saver, config).pending_writes or ()}
        assert written == set(range(64))
        assert all(ids(saver, at(f"t{number}")) for number in range(64))
