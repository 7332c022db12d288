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


def put(saver: RedisSaver, ns: str) -> Checkpoint:
    checkpoint = make({"c": ns})
    metadata: CheckpointMetadata = {"source": "loop", "step": 0, "parents": {}}
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
