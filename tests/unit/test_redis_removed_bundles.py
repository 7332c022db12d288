"""A removal that ends between two of its scripts leaves no bundle to nobody."""

from __future__ import annotations

import itertools
import operator
from typing import Annotated, Any, TypedDict

import pytest
import redis

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.saver import RedisSaver
from checkpoint_redis.saving import forgetting
from checkpoint_redis.stored import Archive
from distgraph.graph import START, StateGraph
from distgraph.types import Send
from tests.support.site import on
from tests.support.thread_driver import Driver

pytestmark = pytest.mark.redis


class State(TypedDict, total=False):
    width: int
    seen: Annotated[list[int], operator.add]


def fan_out(saver: RedisSaver) -> Any:
    builder = StateGraph(State).add_node("see", lambda given: {"seen": [given["n"]]})
    builder.add_conditional_edges(
        START, lambda state: [Send("see", {"n": n}) for n in range(state["width"])], ["see"]
    )
    return builder.compile(checkpointer=saver)


def bundles(saver: RedisSaver) -> tuple[set[str], set[str]]:
    """Return the bundles that are stored, and those that checkpoints refer to."""
    thread, archive = Thread(saver.namespace, "t"), Archive(saver.namespace, saver.serde)
    client: Any = saver.client
    keys = [key.decode() for key in client.keys(f"{thread.prefix}j:*")]
    fields: dict[bytes, bytes] = client.hgetall(thread.checkpoints)
    small = [name.decode().split("|")[2] for name in fields if name.startswith(b"j|")]
    records = [blob for name, blob in fields.items() if name.startswith(b"k|")]
    wanted = {packet.bundle for blob in records for packet in archive.packets(blob)}
    stored = {key.rpartition(":")[2] for key in keys} | {name.rpartition("/")[0] for name in small}
    return stored, wanted


def swept(saver: RedisSaver) -> None:
    """Let sweeps do what is due."""
    thread, ledger = Thread(saver.namespace, "t"), Ledger(saver.client)
    while ledger.sweep(thread.namespace, thread.shard, max_lost=3, lost=b"").more:
        pass


@pytest.mark.parametrize("width", [2, 40])
@pytest.mark.parametrize("together", [1_000, 3])
def test_sweeps_remove_what_a_removal_left_that_died(
    redis_client: redis.Redis,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    together: int,
) -> None:
    monkeypatch.setattr(forgetting, "FORGOTTEN", together)
    saver = RedisSaver(redis_client, namespace=namespace)
    graph, ledger = fan_out(saver), Ledger(redis_client)
    seen = 0
    for lived in itertools.count():
        saver.delete_thread("t")
        for _ in range(2):
            graph.invoke({"width": width}, on("t"))
        steps = forgetting.prune(Archive(namespace, saver.serde), "t")
        reply, ended = None, False
        try:
            for _ in range(lived):
                reply = ledger.call(steps.send(reply))
            steps.send(reply)
        except StopIteration:
            ended = True
        steps.close()
        stored, wanted = bundles(saver)
        assert wanted <= stored
        seen += stored > wanted
        swept(saver)
        assert bundles(saver)[0] == bundles(saver)[1] == wanted
        if ended:
            break
    assert seen


def test_the_next_removal_takes_what_one_left_that_died(
    redis_client: redis.Redis, namespace: str
) -> None:
    """Where no worker sweeps."""
    saver = RedisSaver(redis_client, namespace=namespace)
    graph, ledger = fan_out(saver), Ledger(redis_client)
    graph.invoke({"width": 40}, on("t"))
    steps, reply = forgetting.prune(Archive(namespace, saver.serde), "t"), None
    while getattr(command := steps.send(reply), "name", "") != "discard":
        reply = ledger.call(command)
    steps.close()
    graph.invoke({"width": 40}, on("t"))
    assert len(bundles(saver)[0]) == 2
    saver.prune(["t"])
    assert bundles(saver) == (set(), set())
    assert not Driver(redis_client, namespace, "t").due()
