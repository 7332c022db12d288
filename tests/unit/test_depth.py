"""How many messages the broker is said to hold."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery

from distgraph.errors import BrokerUnavailable
from tests.support.redis_server import RedisServer, free_port
from workers.addresses import told
from workers.broker.depth import depths
from workers.broker.publisher import CeleryPublisher
from workers.broker.settings import own_app
from workers.shared.hints import Outgoing


@pytest.mark.redis
def test_messages_are_counted_queue_by_queue_whatever_their_priority(
    redis_server: RedisServer, namespace: str
) -> None:
    app = own_app("depth", told(redis_server.url))
    args = (1, "a" * 24, "", "0" * 16, ["@"])
    publisher = CeleryPublisher(app, "task", 1.0)
    publisher.publish(Outgoing(f"{namespace}.full", priority, args) for priority in (0, 5, 9))
    found = depths(app, lambda: (f"{namespace}.full", f"{namespace}.empty"))
    assert found == {f"{namespace}.full": 3, f"{namespace}.empty": 0}


@pytest.mark.redis
@pytest.mark.parametrize(
    "options",
    [
        {"sep": ":"},
        {"priority_steps": list(range(10))},
        {"priority_steps": [0, 5]},
        {"priority_steps": [0]},
        {"global_keyprefix": "shop:"},
        {"queue_order_strategy": "priority", "sep": "/", "global_keyprefix": "{shop}"},
    ],
    ids=str,
)
def test_messages_are_counted_where_the_application_has_them(
    redis_server: RedisServer, namespace: str, options: dict[str, Any]
) -> None:
    app = Celery("shop", broker=redis_server.url, set_as_current=False)
    app.conf.broker_transport_options = options
    publisher = CeleryPublisher(app, "task", 1.0)
    args = (1, "a" * 24, "", "0" * 16, ["@"])
    publisher.publish(Outgoing(namespace, priority, args) for priority in range(10))
    assert depths(app, lambda: (namespace,)) == {namespace: 10}


def test_what_cannot_be_read_is_not_told() -> None:
    assert depths(Celery("depth", broker="memory://"), lambda: ("queue",)) == {}


def test_a_broker_that_is_away_is_named() -> None:
    app = own_app("depth", told(f"redis://:secret@127.0.0.1:{free_port()}/0"))
    app.conf.broker_connection_timeout = 0.1
    with pytest.raises(BrokerUnavailable, match=r"broker at redis://:\*\*@127\.0\.0\.1"):
        depths(app, lambda: ("queue",))
