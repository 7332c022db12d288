"""Answers go to Redis in slices where they are too much for one script.

Generators of commands, which a client carries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator

from checkpoint_redis import commands
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Limit
from checkpoint_redis.records import NOT_STAGED, AnswerEntry, StagedAnswers
from checkpoint_redis.replies import Answered, Staged

Pairs = tuple[AnswerEntry, ...]
Giving = Generator[Script[Staged] | Script[Answered], Staged | Answered, Answered]
StagingAnswers = Generator[Script[Staged], Staged, StagedAnswers | Answered]


def give(
    thread: Thread,
    rnd: str,
    pairs: Pairs,
    answer: Callable[[Pairs, StagedAnswers], Script[Answered]],
) -> Giving:
    """Give answers, all or none, in a new round: by the script ``answer``, or staged before it.

    -> what that answers, or why they were refused before; also *unstaged*: to be given again.
    """
    found: Staged | Answered
    if not is_wide(pairs):
        found = yield answer(pairs, NOT_STAGED)
    else:
        staged = yield from stage(thread, rnd, pairs)
        if isinstance(staged, Answered):
            return staged
        found = yield answer((), staged)
    assert isinstance(found, Answered)
    return found


def stage(thread: Thread, rnd: str, pairs: Pairs) -> StagingAnswers:
    """Store slices of answers, all at one moment; return why they are refused instead."""
    moments = set[str]()
    for number, part in enumerate(slices(pairs)):
        staged = yield commands.stage_answers(thread, rnd, number, part)
        if staged.refusal is not None:
            return staged.refusal
        moments.add(staged.moment)
    if len(moments) > 1:
        return Answered("unstaged")
    return StagedAnswers(number + 1, moments.pop())


def is_wide(pairs: Pairs) -> bool:
    """Tell whether answers are too much for one script, which a single one never is."""
    return len(pairs) > Limit.together or (len(pairs) > 1 and _size(pairs) > Limit.inline_writes)


def slices(pairs: Pairs) -> Iterator[Pairs]:
    """Cut answers into what one script may take; those of one task stay together."""
    part: Pairs = ()
    for own in _by_task(pairs):
        more = part + own
        if part and (len(more) > Limit.moved or _size(more) > Limit.inline_writes):
            yield part
            more = own
        part = more
    yield part


def _by_task(pairs: Pairs) -> Iterator[Pairs]:
    own = defaultdict[str, list[AnswerEntry]](list)
    for pair in pairs:
        own[pair.tid].append(pair)
    return map(tuple, own.values())


def _size(pairs: Pairs) -> int:
    return sum(len(pair.blob) for pair in pairs)
