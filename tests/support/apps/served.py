"""The Celery application of the test workers; settings come from DISTGRAPH_* variables.

`SERVE`, comma separated, limits the graphs that a worker has; by default it has all.
"""

from __future__ import annotations

import os
from typing import Any

from tests.support.apps.called import CALLED
from tests.support.apps.elsewhere import ELSEWHERE
from tests.support.apps.frames import FRAMES
from tests.support.apps.lasting import LASTING
from tests.support.apps.limited import LIMITED, STEP_TIMEOUTS
from tests.support.apps.naughty import naughty, naughty_coroutine
from tests.support.apps.programs import PROGRAMS
from tests.support.apps.watchful import look_often
from tests.support.apps.waves import WAVES
from tests.support.apps.workflows import WORKFLOWS
from workers import CeleryBackend

ALL = {
    **PROGRAMS,
    **CALLED,
    **ELSEWHERE,
    **FRAMES,
    **LASTING,
    **LIMITED,
    **WAVES,
    **WORKFLOWS,
    "naughty": naughty,
    "naughty-coroutine": naughty_coroutine,
}


def register(backend: CeleryBackend, names: tuple[str, ...] = tuple(ALL)) -> dict[str, Any]:
    """Return the graphs of those names, compiled on `backend`."""
    made = {name: ALL[name]().compile(name=name, backend=backend) for name in names}
    for name in STEP_TIMEOUTS.keys() & made.keys():
        made[name].step_timeout = STEP_TIMEOUTS[name]
    return made


def _served() -> tuple[str, ...]:
    return tuple(name for name in os.environ.get("SERVE", "").split(",") if name) or tuple(ALL)


if "DISTGRAPH_NAMESPACE" in os.environ:
    look_often()
    backend = CeleryBackend()
    graphs = register(backend, _served())
    app = backend.app
    app.conf.worker_pool_start_method = os.environ.get("START_METHOD", "fork")
    if "SOFT_SHUTDOWN" in os.environ:
        app.conf.worker_soft_shutdown_timeout = float(os.environ["SOFT_SHUTDOWN"])
