"""The project's Celery application, with its graphs; `celery -A examples.django_project.celery`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.django_project.settings")
REDIS = os.environ.get("DISTGRAPH_REDIS", "redis://localhost:6379/0")

# The graphs are imported when a worker starts, after Django is set up.
app = Celery("project", broker=REDIS, include=["examples.django_project.graphs"])
