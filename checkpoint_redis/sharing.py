"""What of the results of a superstep stands in the values that its commit brought, and only there.

The commit itself sees to what a value is wholly made of: that a script finds by itself, in a small
superstep. The items that many tasks gave to one list, and what is large, follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Limit, PartedRow, SpanRow
from checkpoint_redis.loading import Slices
from distgraph.checkpoint.lines import excerpt
from distgraph.checkpoint.spans import writes_in


def give_way(
    thread: Thread, ns: str, cp: str, results: Mapping[str, bytes], values: Mapping[str, bytes]
) -> Slices[None]:
    """Take out of the results left at ``cp`` what stands in ``values``, by their names, too.

    Results in the order of their tasks are found fastest.
    """
    long = {tid: result for tid, result in results.items() if len(result) > Limit.shared}
    parted = _parted(long, values)
    if not _is_large(results):
        parted = (row for row in parted if not _is_done(row, results[row.tid], values))
    for rows in _slices(parted, long):
        yield commands.share(thread, ns, cp, rows)


def _is_large(results: Mapping[str, bytes]) -> bool:
    """Whether the results have a key of their own, as left.lua decides."""
    return len(results) > Limit.left_fields or sum(map(len, results.values())) > Limit.left_bytes


def _is_done(row: PartedRow, result: bytes, values: Mapping[str, bytes]) -> bool:
    return any(values[span.name][1:] in result for span in row.spans)


def _parted(results: Mapping[str, bytes], values: Mapping[str, bytes]) -> Iterator[PartedRow]:
    names = {name.rpartition("@")[0]: name for name in values}
    after = dict.fromkeys(values, 0)
    for tid, result in results.items():
        if spans := tuple(_spans(result, names, values, after)):
            yield PartedRow(tid, spans)


def _spans(
    result: bytes, names: Mapping[str, str], values: Mapping[str, bytes], after: dict[str, int]
) -> Iterator[SpanRow]:
    for channel, begin, end in writes_in(result):
        name = names.get(channel)
        if name is None or end - begin <= Limit.shared:
            continue
        part = excerpt(result[begin - 1 : end], name, values[name], after[name])
        if part is not None:
            after[name] = part.start + part.length
            yield SpanRow(name, begin + len(part.head), part.start + 1, part.length)


def _slices(
    rows: Iterable[PartedRow], results: Mapping[str, bytes]
) -> Iterator[tuple[PartedRow, ...]]:
    """Yield as many at a time as a script may go through."""
    found, size = list[PartedRow](), 0
    for row in rows:
        if found and (len(found) == Limit.slice or size > Limit.inline_writes):
            yield tuple(found)
            found, size = [], 0
        found.append(row)
        size += len(results[row.tid])
    if found:
        yield tuple(found)
