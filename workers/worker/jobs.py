"""The bodies of jobs: run tasks, reduce a superstep. No Celery and no Redis: all is handed in."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from checkpoint_redis.readings import Context
from checkpoint_redis.replies import Advance, Claimed, ClaimedTask
from distgraph.checkpoint import formats
from distgraph.core.model import Task
from distgraph.errors import DistGraphError, JobFailed

from ..shared.hints import Hint
from .attempt import attempt_at
from .barrier import reduce
from .desk import Desk, desk_for
from .failures import errored_in, may_pass, recordable
from .office import Office
from .opened import open_frame, subject_of
from .running import run_all
from .telling import UNKNOWN, tell_failed, together

log: Final = logging.getLogger(__name__)


def step(office: Office, hint: Hint, job: str = "") -> JobFailed | None:
    """Do what ``hint`` names, as far as it is still to be done; ``job`` is Celery's id.

    Return what failed of it, which is logged. Of coroutines, which go on, the office is told.
    """
    desk = desk_for(office, hint, job)
    return _advance(desk) if hint.is_advance else together(_tasks(desk, hint.tids))


def _tasks(desk: Desk, tids: tuple[str, ...]) -> tuple[JobFailed, ...]:
    claimed = desk.claim(tids)
    if claimed.status == "unserved":
        _tell_unserved(desk.office, claimed)
    if claimed.status == "missing":
        desk.office.installation.look()
    context = claimed.context
    if claimed.status != "ok" or context is None:
        return ()
    ready = [task for task in claimed.tasks if task.status == "ok"]
    try:
        opened = open_frame(desk, context)
        attempts = [attempt_at(opened, task) for task in ready]
    except BaseException as error:
        failed = recordable(error)
        if may_pass(failed):
            raise
        failures = [_unopened(desk, context, task, failed) for task in ready]
        return tuple(each for each in failures if each is not None)
    return run_all(desk, attempts)


def _unopened(
    desk: Desk, context: Context, task: ClaimedTask, error: Exception
) -> JobFailed | None:
    """Record and tell that a claimed task cannot be begun."""
    wire, node = desk.served(context).wire, UNKNOWN
    with suppress(DistGraphError):  # its record may be what cannot be read
        node = wire.node_of(task.blob)
    failure = errored_in(Task(task.tid, node, 0), error)
    if desk.fail(task.tid, wire.error(failure), None) != "failed":
        return None
    return tell_failed(subject_of(desk, context.head, node, task.att), failure)


def _advance(desk: Desk) -> JobFailed | None:
    got = desk.claim_advance()
    if got.status == "unserved":
        _tell_unserved(desk.office, got)
    if got.status == "missing":
        desk.office.installation.look()
    return reduce(desk, got)


def _tell_unserved(office: Office, refused: Claimed | Advance) -> None:
    label = f"{refused.graph}@{refused.fp}"
    told = f"{label} {refused.release}"
    if told in office.refused:
        return
    office.refused.add(told)
    if refused.format:
        log.warning(
            "A task of graph %s stays queued: its thread is stored in format %d, and this worker "
            "reads formats up to %d. Start a worker of distgraph %s or newer. Further ones are not "
            "told of.",
            label,
            refused.format,
            formats.FORMAT,
            refused.release,
        )
        return
    served = ", ".join(office.registry.labels()) or "no graph"
    log.warning(
        "A task of graph %s stays queued: this worker serves %s. Start a worker that imports that "
        "graph. Further ones are not told of.",
        label,
        served,
    )
