"""An application as a user might bring it, with kombu's own transport; told by DISTGRAPH_*.

`SHARED_QUEUE`: its queue, where that is not called like the namespace.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from tests.support.apps.served import register
from workers import CeleryBackend


def brought_app(namespace: str, broker: str, **settings: Any) -> Celery:
    """Return an application whose queue is called like the namespace, unless ``settings`` say."""
    app = Celery(f"shop-{namespace}", broker=broker, set_as_current=False)
    queue = {"task_default_queue": namespace}
    app.conf.update(broker_connection_retry_on_startup=True, **{**queue, **settings})
    return app


if "DISTGRAPH_NAMESPACE" in os.environ:
    namespace = os.environ["DISTGRAPH_NAMESPACE"]
    queue = os.environ.get("SHARED_QUEUE", namespace)
    app = brought_app(namespace, os.environ["DISTGRAPH_REDIS"], task_default_queue=queue)
    backend = CeleryBackend(app=app)
    graphs = register(backend)
