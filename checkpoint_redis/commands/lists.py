"""Commands that list threads: a page, how many there are, the line of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkpoint_redis import about, keys
from checkpoint_redis.about import Sought
from checkpoint_redis.commands.read import checked, number, record, row, text
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import ListedRow, PageReply, QuestionId, QuestionRow, ThreadStatus
from checkpoint_redis.readings import ListCount, Listed, ListedQuestions, ListPage
from distgraph.errors import CorruptRecord, NewerFormat


def threads(namespace: str, shard: int, sought: Sought, after: str, limit: int) -> Script[ListPage]:
    """List threads of a shard, the last changed first.

    ``after`` is a place, '' = from the first on; so is that of the reply, up to which was looked.
    Between two places there may be none, and no more than ``limit``.
    """
    key = keys.due(namespace, shard)
    return Arguments().script(
        "threads",
        key,
        _page,
        sets=sought.sets,
        having=sought.having,
        since=sought.since,
        before=sought.before,
        after=after,
        limit=limit,
    )


def count(namespace: str, shard: int, sought: Sought, after: str) -> Script[ListCount]:
    """Count threads of a shard behind ``after``; as far as one script looks."""
    key = keys.due(namespace, shard)
    return Arguments().script(
        "count",
        key,
        _counted,
        sets=sought.sets,
        having=sought.having,
        since=sought.since,
        before=sought.before,
        after=after,
    )


def line(thread: Thread) -> Script[Listed | None]:
    """Read what lists tell of a thread, in whichever format it is; None when there is none."""
    return Arguments().script("line", thread, _line)


@checked
def _page(raw: Any) -> ListPage:
    found = PageReply._make(raw)
    lines = tuple(_listed(each) for each in found.threads)
    return ListPage(text(found.place), int(found.looked), lines)


@checked
def _counted(raw: Any) -> ListCount:
    found = PageReply._make(raw)
    return ListCount(text(found.place), int(found.looked), int(found.threads))


@checked
def _line(raw: Any) -> Listed | None:
    return None if raw is None else _listed(raw)


def _listed(raw: Any) -> Listed:
    found = ListedRow._make(raw)
    asked = _asked(found.asked)
    return Listed(
        x=text(found.x),
        thread_id=text(found.id),
        graph=text(found.graph),
        fp=text(found.fingerprint),
        run=text(found.run),
        st=ThreadStatus(text(found.status)),
        created=number(found.created),
        upd=number(found.updated),
        format=number(found.form),
        metadata=about.decode(found.about or b""),
        asked=asked or (),
        more=bool(found.more) or asked is None,
    )


def _asked(said: Sequence[bytes]) -> tuple[ListedQuestions, ...] | None:
    """Read what a thread asks; None when that cannot be: no other thread is left out for it."""
    try:
        return tuple(map(_questions, said[::2], said[1::2]))
    except (CorruptRecord, NewerFormat):
        return None


@checked
def _questions(said: bytes, blob: bytes) -> ListedQuestions:
    rows = (row(QuestionRow, each) for each in record(said))
    return ListedQuestions(tuple(each for each in rows if each.iid != QuestionId.stopped), blob)
