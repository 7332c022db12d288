"""An application as a user might bring it, with kombu's own transport; told by DISTGRAPH_*."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from tests.support.apps.served import register
from workers import CeleryBackend


def brought_app(namespace: str, broker: str, **settings: Any) -> Celery:
    """Return an application whose queue is called like the namespace."""
    app = Celery(f"shop-{namespace}", broker=broker, set_as_current=False)
    app.conf.update(
        task_default_queue=namespace, broker_connection_retry_on_startup=True, **settings
    )
    return app


if "DISTGRAPH_NAMESPACE" in os.environ:
    app = brought_app(os.environ["DISTGRAPH_NAMESPACE"], os.environ["DISTGRAPH_REDIS"])
    backend = CeleryBackend(app=app)
    graphs = register(backend)
