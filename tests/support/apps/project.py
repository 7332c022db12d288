"""A project's own Celery application, as Django's documentation has it; told by DISTGRAPH_*."""

from __future__ import annotations

import os

from celery import Celery


class Settings:
    """What a project's settings say of Celery."""

    CELERY_BROKER_URL = os.environ["DISTGRAPH_REDIS"]
    CELERY_TASK_DEFAULT_QUEUE = os.environ["DISTGRAPH_NAMESPACE"]
    CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True


app = Celery("project")
app.config_from_object(Settings, namespace="CELERY")
app.autodiscover_tasks(["tests.support.apps"], related_name="project_graphs")
