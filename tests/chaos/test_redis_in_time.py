"""What rests costs Redis nothing, and no script holds it long, however wide a thread is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import pytest

from checkpoint_redis import source
from checkpoint_redis.saver import RedisSaver
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on
from tests.support.thread_driver import Driver
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow, pytest.mark.timeout(900)]
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}
WAITING, WIDTH, ASKING = 20_000, 10_000, 8_000
LOOK = 30.0
A_SECOND = 5
"""Of two workers: one look at all shards by one of them, and each tells that it lives."""
MOST = 0.01
"""Of a core: the looks of the workers, and what Redis itself does with so many keys."""
LONGEST_MS = 50


def scripts(info: dict[str, dict[str, int]]) -> int:
    return sum(info.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


def costs(site: Site) -> tuple[float, float]:
    """Return scripts a second, and which part of a core Redis takes, over the next while."""

    def now() -> tuple[float, int, float]:
        with site.store.client() as client:
            cpu, stats = client.info("cpu"), client.info("commandstats")
        used = cpu["used_cpu_user"] + cpu["used_cpu_sys"]
        return time.monotonic(), scripts(stats), used

    at, ran, used = now()
    time.sleep(LOOK)
    then, ran_then, used_then = now()
    return (ran_then - ran) / (then - at), (used_then - used) / (then - at)


def wait(site: Site, names: Iterable[str]) -> None:
    """Leave a thread of each name with a question, as workers do."""
    with site.store.client() as client:
        for name in names:
            driver = Driver(client, site.namespace, name)
            ep = driver.started("a")
            driver.claim(ep, "a")
            assert driver.ask(ep, "a", f"{name}?").closing == "paused", name


def slowlog(site: Site) -> list[tuple[float, str]]:
    """Return what the server noted of slow scripts: milliseconds, and which one it was."""
    names = {source.sha(path.stem): path.stem for path in source.FOLDER.glob("*.lua")}
    with site.store.client() as client:
        noted = [
            (each["duration"] / 1000, each["command"].split()) for each in client.slowlog_get(1_000)
        ]
    return [
        (ms, names.get(words[1].decode(), "sent whole"))
        for ms, words in noted
        if words[0] in (b"EVAL", b"EVALSHA")
    ]


def test_threads_that_wait_cost_redis_nothing(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]
) -> None:
    site = own_site(new_redis(), **DEFAULTS)
    site.start(2, concurrency=1)
    rate, idle = costs(site)
    wait(site, (f"waits-{n}" for n in range(WAITING)))
    with site.store.client() as client:
        wait_until(lambda: not site.due(client), "nothing to be due")
    rate_then, share = costs(site)
    sys.stderr.write(
        f"\n{WAITING:,} waiting threads: {rate_then:.1f} scripts a second (none: {rate:.1f}), "
        f"Redis {100 * share:.2f} % of a core (none: {100 * idle:.2f} %)\n"
    )
    assert rate_then <= rate * 1.1 + 1
    assert rate_then <= A_SECOND
    assert share < MOST


def test_no_script_holds_redis_long(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]
) -> None:
    site = own_site(new_redis(), **DEFAULTS)
    with site.store.client() as client:
        client.config_set("slowlog-log-slower-than", 5_000)
        client.config_set("slowlog-max-len", 1_000)
    site.start(2, concurrency=2)
    noop, panel = site.graphs["noop"], site.graphs["panel"]

    assert noop.invoke({"width": WIDTH}, on("wide"))["done"] == WIDTH
    assert next(iter(noop.get_state_history(on("wide"), limit=1))).next == ()
    assert len(list(noop.get_state_history(on("wide")))) == 4
    given_up = noop.submit({"width": WIDTH}, on("given up"))
    assert given_up.cancel()

    asked = [f"q{n}" for n in range(ASKING)]
    stopped = panel.invoke({"asked": asked}, on("asking"))
    questions = stopped["__interrupt__"]
    assert len(questions) == ASKING
    handle = site.backend.thread("asking")
    run = handle.resume({question.id: "yes" for question in questions})
    assert len(run.result(timeout=300)["answers"]) == ASKING + 1
    saver = RedisSaver(site.store.url, namespace=site.namespace)
    saver.prune(["wide", "asking"])
    for name in ("wide", "given up", "asking"):
        site.backend.thread(name).delete()

    slow = sorted(slowlog(site), reverse=True)
    sys.stderr.write(f"\nScripts over 5 ms: {len(slow)}, the slowest {slow[:5]}\n")
    assert not [each for each in slow if each[0] > LONGEST_MS]
