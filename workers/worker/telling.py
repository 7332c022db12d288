"""What a worker's log says of attempts: in words, and as fields for programs that read logs.

One record is written for each attempt that failed, was lost or was handed over. Nothing in it is
longer than ``LONGEST``, however long what a node raised is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from distgraph.core.model import Errored
from distgraph.core.recorded import LONGEST_TEXT
from distgraph.core.trace import trace
from distgraph.errors import JobFailed, RemoteNodeError

log: Final = logging.getLogger(__name__)
LONGEST = LONGEST_TEXT
"""Characters of a traceback that is logged and told to Celery as it is."""
UNKNOWN = "?"
"""Stands for a node whose task cannot be read."""
BRIEF, SHOWN = 500, 200
"""Characters of an exception's text in a sentence, and of a thread's id."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a record is about; its fields are those of the record.

    ``node`` is '' and ``attempt`` 0 where it is a superstep; ``thread_key`` is what messages and
    keys of Redis say in place of the id, ``job_id`` Celery's id of the job.
    """

    graph: str
    node: str
    thread_id: str
    thread_key: str
    run_id: str
    attempt: int
    job_id: str

    def facts(self) -> dict[str, Any]:
        """Return its fields by their names."""
        return {name: getattr(self, name) for name in _FACTS}

    def __str__(self) -> str:
        what = f"Attempt {self.attempt} at node '{self.node}'" if self.node else "A superstep"
        where = f"on thread {self.thread_id[:SHOWN]!r} (run {self.run_id})"
        return f"{what} of graph '{self.graph}' {where}"


_FACTS = tuple(each.name for each in fields(Subject))


def tell_failed(subject: Subject, error: Errored, retry_in: float | None = None) -> JobFailed:
    """Log that an attempt failed; return what Celery is told of it.

    ``retry_in``: in how many seconds it is tried again, None when the failure is final.
    """
    failed = JobFailed(f"{subject} failed: {_brief(error)}.")
    failed.__cause__, failed.is_final = _reportable(error), retry_in is None
    level = logging.ERROR if retry_in is None else logging.WARNING
    again = "" if retry_in is None else f" It is tried again in {retry_in:.3g} s."
    known = {**subject.facts(), "outcome": "failed", "error": error.kind, "retry_in": retry_in}
    if log.isEnabledFor(level):
        _write(level, f"{failed}{again}", failed, _printable(error.traceback), known)
    return failed


def _write(level: int, text: str, failed: JobFailed, shown: str, known: dict[str, Any]) -> None:
    """Write a record whose traceback is shown as ``shown``: it is text already, once is enough."""
    told = (type(failed), failed, None)
    record = log.makeRecord(
        log.name, level, __file__, 0, text, (), told, tell_failed.__name__, known
    )
    record.exc_text = _shortened(shown.rstrip())
    log.handle(record)


def tell_refused(subject: Subject, error: Errored) -> None:
    """Log that an answer is not what its question says, which waits for another one."""
    known = {**subject.facts(), "outcome": "asked", "error": error.kind}
    why = f"its answer does not fit: {_brief(error)}"
    log.warning("%s asks again: %s.", subject, why, extra=known)


def tell_lost(subject: Subject) -> None:
    """Log that an attempt begins again since its worker vanished, or seemed to."""
    known = {**subject.facts(), "outcome": "lost"}
    why = "its worker vanished, or paused for longer than its lease"
    log.warning("%s was lost, and begins again: %s.", subject, why, extra=known)


def tell_handed_over(subject: Subject) -> None:
    """Log that an attempt begins again elsewhere since its worker was told to end."""
    known = {**subject.facts(), "outcome": "handed over"}
    log.info("%s was handed over: its worker was told to end.", subject, extra=known)


def together(failures: Sequence[JobFailed]) -> JobFailed | None:
    """Return the failure of a job in which all of ``failures`` happened; None where none did."""
    if len(failures) < 2:  # noqa: PLR2004 one tells itself
        return next(iter(failures), None)
    said = "; ".join(str(each).removesuffix(".") for each in failures)
    whole = JobFailed(f"{len(failures)} tasks of this job failed: {_shortened(said)}.")
    whole.is_final = any(each.is_final for each in failures)
    group = ExceptionGroup("all that failed", failures)
    whole.__cause__ = group if len(trace(group)) <= LONGEST else failures[0]
    return whole


def _brief(error: Errored) -> str:
    """Return the kind and the text of an error in one line."""
    text = " ".join(_printable(error.message).split())
    cut = text if len(text) <= BRIEF else f"{text[:BRIEF]}..."
    return f"{error.kind.removeprefix('builtins.')}: {cut}".removesuffix(".")


def _reportable(error: Errored) -> BaseException:
    """Return the exception itself, or one that says the same where it cannot be shown whole."""
    raised, shown = error.exception, error.traceback
    if raised is not None and len(shown) <= LONGEST and _printable(shown) == shown:
        return raised
    made = RemoteNodeError(f"{error.kind}: {_shortened(_printable(error.message))}")
    made.add_note(_shortened(_printable(error.traceback)))
    return made


def _printable(text: str) -> str:
    """Return a text that any stream takes: half a character is written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
