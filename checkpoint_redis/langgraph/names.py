"""Names of what the checkpointer for LangGraph stores; no other module puts one together.

A thread has two keys, which lie in one slot of a Cluster:

    <namespace>{thread/<id>}:fields  HASH  everything there is of it
    <namespace>{thread/<id>}:index   ZSET  which checkpoints and writes, in the order of their names

Fields; names in them are quoted as in URLs, so that ``/`` parts them and they sort by their id:

    c/<ns>/<checkpoint>               the checkpoint without its values (indexed)
    r/<ns>/<checkpoint>               the fields of its values, a space between them
    v/<ns>/<channel>/<version>        a value
    w/<ns>/<checkpoint>/<task>/<idx>  a pending write (indexed)

``<namespace>:run/<id>`` is the set of the threads that a run stored checkpoints of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

CHECKPOINT, REFERENCES, VALUE, WRITE = "c/", "r/", "v/", "w/"
AFTER = "0"
"""The character after the one that parts names: where a range of them ends."""
_SAFE = "-_.:"


@dataclass(frozen=True, slots=True)
class ThreadKeys:
    """The keys of one thread."""

    namespace: str
    thread_id: str

    @property
    def fields(self) -> str:
        return f"{self._prefix}:fields"

    @property
    def index(self) -> str:
        return f"{self._prefix}:index"

    @property
    def _prefix(self) -> str:
        return f"{self.namespace}{{thread/{quoted(self.thread_id)}}}"


def all_threads(namespace: str) -> str:
    """Return the SCAN pattern of the indexes of all threads."""
    return f"{namespace}{{thread/*}}:index"


def thread_of(index: bytes) -> str:
    """Return which thread an index is of."""
    return unquoted(index.decode().partition("{thread/")[2].rpartition("}")[0])


def run_key(namespace: str, run_id: str) -> str:
    return f"{namespace}:run/{quoted(run_id)}"


def checkpoint_name(ns: str, checkpoint_id: str | None) -> str:
    """Return what a checkpoint is called in its thread; without an id, the latest of the frame."""
    return f"{quoted(ns)}/{quoted(checkpoint_id or '')}"


def place_of(name: str) -> tuple[str, str]:
    """Return the ns and the id in a checkpoint's name."""
    ns, checkpoint_id = name.split("/")
    return unquoted(ns), unquoted(checkpoint_id)


def value_field(ns: str, channel: str, version: Any) -> str:
    return f"{VALUE}{quoted(ns)}/{quoted(channel)}/{quoted(str(version))}"


def channel_of_field(field: str) -> str:
    return unquoted(field.split("/")[2])


def write_field(name: str, task_id: str, idx: int) -> str:
    return f"{WRITE}{name}/{quoted(task_id)}/{idx}"


def quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe=_SAFE)


def unquoted(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "surrogatepass")
