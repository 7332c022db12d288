"""The order of files that run beside each other: what takes long begins early, quick ones are last.

Files that wait for workers come by turns with those that compute, so that the cores have work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, zip_longest

import pytest

File = tuple[pytest.Item, ...]


def by_turns(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the items of all files, those of a file in the order that they have."""
    files = [tuple(found) for _, found in groupby(items, key=lambda item: item.path)]
    waiting = [file for file in files if _has(file, "celery")]
    computing = [file for file in files if file not in waiting and _has(file, "no_cover")]
    quick = [file for file in files if file not in (*waiting, *computing)]
    waiting.sort(key=lambda file: not _has(file, "slow"))
    return chain.from_iterable([*_alternate(waiting, computing), *quick])


def _has(file: File, mark: str) -> bool:
    return any(item.get_closest_marker(mark) for item in file)


def _alternate(*lines: Sequence[File]) -> Iterator[File]:
    return (file for files in zip_longest(*lines) for file in files if file)
