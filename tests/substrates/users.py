"""Two users of Redis that may do no more than they need, as the README lists them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.substrates.kit import version_of
from tests.substrates.places import running, server_of
from tests.substrates.row import Ground, Place
from tests.support.redis_server import HOST, executable

CLIENT = (
    "~dg{* ~dg:* ~dg.* +@hash +@set +@sortedset +@stream +@string -@dangerous +exists +unlink "
    "+pexpire +persist +time +ping +select +lpush +llen +eval +evalsha +script|load"
)
"""The rules of who calls graphs: `dg` is the namespace."""
WORKER = (
    f"{CLIENT} ~_kombu.* ~*.celery.pidbox* ~celeryev.* &/0.celery.pidbox &/0.celeryev/* "
    "&/0.celeryev/worker.* +brpop +rpush +lrem +@transaction +del +publish +psubscribe "
    "+punsubscribe +script|exists +client|id +client|unblock"
)
"""Those of a worker, which hears others by Celery's own keys and channels in database 0."""
USERS = {"caller": f"resetchannels {CLIENT}", "worker": f"resetchannels {WORKER}"}


@contextmanager
def two_users(ground: Ground) -> Iterator[Place]:
    """Give a Redis that only the two users may use."""
    with running(server_of(ground, "")) as server:
        with server.client() as admin:
            for name, rules in USERS.items():
                admin.execute_command("ACL", "SETUSER", name, "on", ">s3cret", *rules.split())
            admin.execute_command("ACL", "SETUSER", "default", "off")
        caller, worker = (f"redis://{name}:s3cret@{HOST}:{server.port}/0" for name in USERS)
        told = {"DISTGRAPH_REDIS": caller}, {"DISTGRAPH_REDIS": worker}
        yield Place(version_of(executable()), *told)
