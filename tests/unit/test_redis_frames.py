"""What Redis knows of a frame by its name, and that savers find frames by their names."""

from __future__ import annotations

import re

import pytest
import redis

from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.base import Checkpoint, CheckpointMetadata
from distgraph.checkpoint.conformance import at, make


@pytest.mark.parametrize(
    ("name", "parent", "task", "path"),
    [
        ("node:t1", "", "t1", "node"),
        ("node:t1|1", "", "t1", "node"),
        ("node:t1|1|leaf:t2", "node:t1|1", "t2", "node|leaf"),
        ("node:t1|leaf:t2|3", "node:t1", "t2", "node|leaf"),
        ("node", "", "", "node"),
        ("node|1", "", "", "node"),
        ("a|b", "a", "", "a|b"),
        ("a|1|b:t2", "a|1", "t2", "a|b"),
    ],
)
def test_a_name_tells_what_is_around_it(name: str, parent: str, task: str, path: str) -> None:
    frame = FrameName(name)
    assert (frame.parent.name, frame.task, frame.path) == (parent, task, path)


def test_scripts_see_sixteen_digits_and_nothing_of_the_root() -> None:
    assert FrameName().hash == ""
    hashes = {FrameName(name).hash for name in ("a", "b", "a|1", "half \ud800")}
    assert len(hashes) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", found) for found in hashes)


def put(saver: RedisSaver, ns: str, run: str = "", **parents: Checkpoint) -> Checkpoint:
    """Put a checkpoint in a frame; `parents`: those of the frames around, the root's is 'root'."""
    checkpoint = make({"c": ns})
    around = {"" if name == "root" else name: cp["id"] for name, cp in parents.items()}
    metadata: CheckpointMetadata = {"source": "loop", "step": 0, "parents": around, "run_id": run}
    saver.put(at("t", None, ns), checkpoint, metadata, {"c": checkpoint["id"]})
    return checkpoint


@pytest.mark.redis
def test_a_saver_lists_frames_by_their_names(redis_client: redis.Redis, namespace: str) -> None:
    saver = RedisSaver(redis_client, namespace=namespace)
    names = ["", "node:t1", "node:t1|1", "node:t1|1|leaf:t2", "kept"]
    for name in names:
        put(saver, name)
    found = saver.list({"configurable": {"thread_id": "t"}})
    assert sorted(each.config["configurable"]["checkpoint_ns"] for each in found) == sorted(names)
    (one,) = saver.list(at("t", None, "node:t1|1"))
    assert one.checkpoint["channel_values"] == {"c": "node:t1|1"}


@pytest.mark.redis
def test_a_copy_and_a_removal_take_frames_along(redis_client: redis.Redis, namespace: str) -> None:
    saver = RedisSaver(redis_client, namespace=namespace)
    for name in ("", "node:t1"):
        put(saver, name)
    last = put(saver, "kept")
    saver.put_writes(at("t", last["id"], "kept"), [("c", 1)], "task")
    saver.copy_thread("t", "copy")
    saver.delete_thread("t")
    assert redis_client.keys(f"{Thread(namespace, 't').prefix}*") == []
    copied = saver.get_tuple(at("copy", None, "kept"))
    assert copied is not None
    assert copied.pending_writes == [("task", "c", 1)]
    saver.delete_thread("copy")
    assert redis_client.keys(f"{Thread(namespace, 'copy').prefix}*") == []


@pytest.mark.redis
def test_the_header_does_not_grow_with_frames(redis_client: redis.Redis, namespace: str) -> None:
    saver = RedisSaver(redis_client, namespace=namespace)
    thread = Thread(namespace, "t")
    put(saver, "")
    before = redis_client.hkeys(thread.header)
    for number in range(20):
        put(saver, f"node:{number}")
    assert redis_client.hkeys(thread.header) == before
    assert redis_client.hlen(thread.frames) == 20


def called(saver: RedisSaver, run: str) -> Checkpoint:
    """Put a checkpoint of the root, with a graph that is called in it and one called in that."""
    root = put(saver, "", run)
    inner = put(saver, f"node:{run}", run, root=root)
    put(saver, f"node:{run}|leaf:x", "", root=root, **{f"node:{run}": inner})
    put(saver, "kept", "", root=root)
    put(saver, "kept|leaf:y", "", root=root, kept=put(saver, "kept", "", root=root))
    return root


def frames(saver: RedisSaver) -> list[str]:
    found = saver.list({"configurable": {"thread_id": "t"}})
    return sorted(each.config["configurable"]["checkpoint_ns"] for each in found)


@pytest.mark.redis
def test_a_called_graph_is_pruned_with_the_checkpoint_around_it(
    redis_client: redis.Redis, namespace: str
) -> None:
    saver = RedisSaver(redis_client, namespace=namespace)
    called(saver, "1")
    called(saver, "2")
    saver.prune(["t"])
    assert frames(saver) == ["", "kept", "kept|leaf:y", "node:2", "node:2|leaf:x"]
    assert len(redis_client.hkeys(Thread(namespace, "t").frames)) == 4


@pytest.mark.redis
def test_a_called_graph_goes_with_the_run_around_it(
    redis_client: redis.Redis, namespace: str
) -> None:
    saver = RedisSaver(redis_client, namespace=namespace)
    called(saver, "1")
    called(saver, "2")
    saver.delete_for_runs(["2"])
    left = frames(saver)
    assert [name for name in left if name.startswith("node")] == ["node:1", "node:1|leaf:x"]
    assert [name for name in left if not name] == [""]
    assert set(left) > {"kept", "kept|leaf:y"}
