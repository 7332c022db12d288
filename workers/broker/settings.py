"""Celery settings: the whole set for an application of ours, none for one that a user brings.

Each is there for a measured reason; the promises hold without them, latency does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from celery import Celery
from kombu import Queue

from ..addresses import NO_BROKER, BrokerSettings, is_plain
from ..shared.queue_names import short
from .transport import OwnAMQP

RECOMMENDED: Mapping[str, Any] = {
    # Acknowledged when execution starts: the lease, not the broker, notices a dead worker.
    "task_acks_late": False,
    # A hint must not wait behind a long task while other workers idle.
    "worker_prefetch_multiplier": 1,
    "task_ignore_result": True,
    "accept_content": ["json"],
    "task_serializer": "json",
    "worker_send_task_events": False,
    "worker_soft_shutdown_timeout": 10.0,
    "broker_connection_retry_on_startup": True,
}
TRANSPORT: Mapping[str, Any] = {
    # A copy of each message that is taken costs more than the message, and brings it back later
    # than the sweeper, which publishes again whatever is lost.
    "ack_emulation": False,
    # Longer than any read blocks (1 s), and short enough to tell of a server that hangs.
    "socket_timeout": 4,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}


def own_app(namespace: str, broker: BrokerSettings) -> Celery:
    """Return a Celery application with every setting that a backend likes."""
    name = f"distgraph.{namespace}"
    app = Celery(name, broker=broker.url, backend=None, amqp=OwnAMQP, set_as_current=False)
    app.conf.update(RECOMMENDED)
    app.conf.task_default_queue = f"{namespace}.default"
    app.conf.broker_transport_options = transport_options(broker)
    if broker.tls:
        app.conf.broker_use_ssl = dict(broker.tls)
    if broker.redis:
        app.conf.worker_disable_prefetch = True
    app.conf.worker_hijack_root_logger = False
    consume(app, namespace, ())
    return app


def refuse_deaf(app: Celery) -> None:
    """Raise ValueError where workers of an application that a user brings would not take JSON."""
    accepted = sorted(map(str, app.conf.accept_content or ()))
    if not {"json", "application/json"} & set(accepted):
        msg = (
            f"accept_content of the Celery application '{app.main}' is {accepted}: its workers "
            "would refuse the jobs of graphs, which are JSON. Add 'json' to it."
        )
        raise ValueError(msg)


def refuse_unreadable(app: Celery) -> None:
    """Raise ValueError where an application of a user's has a broker that kombu would misread."""
    told: Any = app.conf.broker_write_url or app.conf.broker_url or ""
    urls = told.split(";") if isinstance(told, str) else told
    if not all(is_plain(str(url)) for url in urls):
        msg = f"broker_url of the Celery application '{app.main}': {NO_BROKER}"
        raise ValueError(msg)


def consume(app: Celery, namespace: str, queues: Iterable[str]) -> None:
    """Let workers of an application of ours consume ``queues``, beside its default one.

    Behind ``-Q`` and ``-X`` they are known without the namespace, too.
    """
    names = dict.fromkeys((app.conf.task_default_queue, *queues))
    app.conf.task_queues = [
        Queue(name, routing_key=name, alias=short(namespace, name)) for name in names
    ]


def renew_queues(app: Celery) -> None:
    """Have the next worker of this process consume what the settings name by then.

    Celery keeps the queues that the first one found.
    """
    vars(app.amqp).pop("queues", None)


def transport_options(broker: BrokerSettings) -> dict[str, Any]:
    """Return what the transport is told: our choice, then what the broker's URL and options say."""
    ours = dict(TRANSPORT) if broker.redis else {}
    if broker.sockets:
        ours.pop("socket_keepalive")  # a socket file knows none
    return {**ours, **broker.transport}


def differing(app: Celery) -> list[tuple[str, Any, Any]]:
    """Return (setting, its value, what is recommended) for an application that a user brings."""
    found = []
    for name, wanted in RECOMMENDED.items():
        value = app.conf.get(name)
        if value != wanted and set(value if isinstance(value, list) else ()) != {"json"}:
            found.append((name, value, wanted))
    return found
