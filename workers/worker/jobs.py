"""The bodies of jobs: run tasks, reduce a superstep. No Celery and no Redis: all is handed in."""

from __future__ import annotations

import logging

from checkpoint_redis.replies import Advance, Claimed
from distgraph.checkpoint import formats
from workers.shared.hints import Hint
from workers.worker.attempt import attempt_at
from workers.worker.barrier import reduce
from workers.worker.desk import Desk, desk_for
from workers.worker.failures import errored, may_pass
from workers.worker.office import Office
from workers.worker.opened import open_frame
from workers.worker.running import run_all

log = logging.getLogger(__name__)


def step(office: Office, hint: Hint) -> None:
    """Do what ``hint`` names, as far as it is still to be done."""
    desk = desk_for(office, hint)
    if hint.is_advance:
        _advance(desk)
    else:
        _tasks(desk, hint.tids)


def _tasks(desk: Desk, tids: tuple[str, ...]) -> None:
    claimed = desk.claim(tids)
    if claimed.status == "unserved":
        _tell_unserved(desk.office, claimed)
    if claimed.status == "missing":
        desk.office.installation.look()
    context = claimed.context
    if claimed.status != "ok" or context is None:
        return
    ready = [task for task in claimed.tasks if task.status == "ok"]
    try:
        opened = open_frame(desk, context)
        attempts = [attempt_at(opened, task) for task in ready]
    except Exception as error:
        if may_pass(error):
            raise
        record = desk.served(context).wire.error(errored(error))
        for task in ready:
            desk.fail(task.tid, record, None)
        return
    run_all(desk, attempts)


def _advance(desk: Desk) -> None:
    got = desk.claim_advance()
    if got.status == "unserved":
        _tell_unserved(desk.office, got)
    if got.status == "missing":
        desk.office.installation.look()
    reduce(desk, got)


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
