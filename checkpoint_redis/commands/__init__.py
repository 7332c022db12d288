"""One pure function per operation: arguments in, a Script (or a Plain command) out."""

from __future__ import annotations

from checkpoint_redis.commands.dispatch import (
    beat,
    emit,
    outbox,
    overdue,
    published,
    release,
    sweep,
    sweeper_turn,
)
from checkpoint_redis.commands.presence import appear, disappear, workers
from checkpoint_redis.commands.query import (
    any_header,
    caller_writes,
    channels,
    checkpoints,
    fields,
    frames,
    header,
    history,
    load,
    scan,
    threads,
    writes,
)
from checkpoint_redis.commands.run import answer, cancel, delete, start, update
from checkpoint_redis.commands.runs import outcome, runs
from checkpoint_redis.commands.saving import forget, put, put_writes
from checkpoint_redis.commands.script import Plain, Script
from checkpoint_redis.commands.server import info, meta, policy
from checkpoint_redis.commands.task import (
    claim,
    claim_advance,
    commit,
    complete,
    fail,
    fail_advance,
    finish,
    inner,
    stage,
)

__all__ = [
    "Plain",
    "Script",
    "answer",
    "any_header",
    "appear",
    "beat",
    "caller_writes",
    "cancel",
    "channels",
    "checkpoints",
    "claim",
    "claim_advance",
    "commit",
    "complete",
    "delete",
    "disappear",
    "emit",
    "fail",
    "fail_advance",
    "fields",
    "finish",
    "forget",
    "frames",
    "header",
    "history",
    "info",
    "inner",
    "load",
    "meta",
    "outbox",
    "outcome",
    "overdue",
    "policy",
    "published",
    "put",
    "put_writes",
    "release",
    "runs",
    "scan",
    "stage",
    "start",
    "sweep",
    "sweeper_turn",
    "threads",
    "update",
    "workers",
    "writes",
]
