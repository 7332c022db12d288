"""Names of everything that is stored: no other module puts a key together.

A thread's keys begin with ``<namespace>{<shard>}:<x>:``; the letters are those of ``layout``.
``<ns>`` is the hash of a frame's name, '' for the root.

    h       HASH    header: thread, run, root frame
    fs      HASH    hash -> name of each frame inside a task
    f:<ns>  HASH    such a frame: its name, what is around it, its head
    s:<ns>  HASH    open superstep of a frame: task records, task blobs, answers, caller writes
    w:<ns>  HASH    task id -> writes            u:<ns>  HASH  task id -> pending questions
    p:<ns>  HASH    bundle -> number of its packets, of those that the tasks sent
    a:<ns>  SET     active tasks (the barrier)   q:<ns>  SET   tasks to be claimed (the outbox)
    o:<ns>  HASH    frames inside its tasks of which something is open -> task
    y       SET     names <ns>.<epoch> of such hashes of supersteps that are over, y:<name>: what is
                    open of those frames goes in looks of sweeps
    c       HASH    checkpoints (k|<ns>|<cp>), channels (v|<ns>|<channel>@<ref>), segments of
                    lists (v|<ns>|<channel>@<line>;<number>), packets of small bundles
                    (j|<ns>|<bundle>/<number>), references of the head checkpoint (f|<ns>), what
                    callers wrote at a checkpoint (z|<ns>|<cp>), the record of the last run
                    (n|<run>), a line of each before it (runs), answers that joined one (joined);
                    the thread's metadata (about); of a waiting thread the packed s, w, u, p and o
                    (s|<ns>); what a saver was given of a checkpoint's tasks (p|<ns>|<cp> = how
                    many, then |<number>), what the tasks left that ran from a checkpoint
                    (l|<ns>|<cp>)
    l       SET     names <ns>|<cp> of large supersteps; what they left is a HASH l:<ns>|<cp>
    j:<bundle>  HASH    packets of a larger bundle by number; 10 minutes while it is being staged
    j       SET     the larger bundles
    n:<run> STRING  record of a run before the last, for an hour
    z       STRING  the same as one text, while the thread waits and it is small
    i       ZSET    <ns>|<cp> of every checkpoint, in the order of their names, once there are many
    e       STREAM  events
    S: A: Q: <ep>   a superstep that is being staged (10 minutes)

A shard has ``due`` and ``ob`` (what must be looked at, and when: tasks, and outboxes), ``ends`` (a
stream of the runs that ended) and sets of threads by when they changed: ``ix:all``,
``ix:s:<status>``, ``ix:g:<graph>`` and ``ix:m:<mark>`` (``about``); a namespace has ``workers``,
``meta``, ``sweeper:<format>``, ``wake:<who>`` of a process or loop that waits, ``run:<id>`` (the
hash of the thread whose run has an id that its caller chose, for an hour), and ``kill:<x>`` of a
thread whose nodes are to be ended.

Of what stores keep, a shard has those namespaces whose first two parts it is the shard of
(``kept``, a ZSET of names as ``kept.py`` has them), the keys of each (``kept:k:<namespace>``, a
ZSET), each item (``kept:i:<item>``, a HASH that lapses by itself), and when items lapse
(``kept:due``, a ZSET).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from checkpoint_redis.layout import Field, ShardKey, ThreadKey

SHARDS = 64
_NAMESPACE = re.compile(r"[a-z0-9_-]{1,32}")
_HASH = re.compile(r"[a-z2-7]{24}")


@dataclass(frozen=True, slots=True)
class Thread:
    """The address of one thread; ``thread_id`` is '' where only its hash is known."""

    namespace: str
    thread_id: str
    x: str = ""

    def __post_init__(self) -> None:
        check_namespace(self.namespace)
        if not self.x:
            object.__setattr__(self, "x", thread_hash(self.namespace, self.thread_id))

    @classmethod
    def from_x(cls, namespace: str, x: str) -> Thread:
        """Address a thread by its hash; ValueError when it cannot be one."""
        if not _HASH.fullmatch(x):
            raise ValueError(f"{x!r} is no thread hash: 24 characters of a-z and 2-7")
        return cls(namespace, "", x)

    @property
    def shard(self) -> int:
        return shard_of(self.x)

    @property
    def prefix(self) -> str:
        return f"{shard_prefix(self.namespace, self.shard)}{self.x}:"

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"Thread '{self.thread_id or self.x}'"

    @property
    def header(self) -> str:
        return f"{self.prefix}{ThreadKey.header}"

    @property
    def checkpoints(self) -> str:
        return f"{self.prefix}{ThreadKey.checkpoints}"

    @property
    def events(self) -> str:
        return f"{self.prefix}{ThreadKey.events}"

    @property
    def frames(self) -> str:
        return f"{self.prefix}{ThreadKey.frames}"

    def tasks(self, ns: str) -> str:
        """Return the key of a frame's open superstep, by the frame's hash."""
        return f"{self.prefix}{ThreadKey.tasks}{ns}"

    def frame(self, ns: str) -> str:
        """Return the key of a frame inside a task, by its hash."""
        return f"{self.prefix}{ThreadKey.frame}{ns}"


def cached(namespace: str, kept_in: Iterable[str], key: str) -> str:
    """Return the key of a value that a cache has in ``kept_in``, or the pattern of several keys."""
    place = "\0".join(kept_in).encode("utf-8", "surrogatepass")
    return f"{all_cached(namespace)}{hashlib.blake2b(place, digest_size=16).hexdigest()}:{key}"


def all_cached(namespace: str) -> str:
    """Return what the keys of all cached values begin with."""
    return f"{namespace}:cache:"


def check_namespace(namespace: str) -> None:
    """Refuse what could be taken for another part of a key, with a ValueError."""
    if not _NAMESPACE.fullmatch(namespace):
        raise ValueError(f"namespace {namespace!r} must be 1 to 32 characters of a-z, 0-9, _ and -")


def thread_hash(namespace: str, thread_id: str) -> str:
    text = f"{namespace}\0{thread_id}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=15).digest()
    return base64.b32encode(digest).decode().lower()


def shard_of(x: str) -> int:
    return binascii.crc_hqx(x.encode(), 0) % SHARDS


def shard_prefix(namespace: str, shard: int) -> str:
    return f"{namespace}{{{shard:02d}}}:"


def due(namespace: str, shard: int) -> str:
    return f"{shard_prefix(namespace, shard)}{ShardKey.due}"


def ends(namespace: str, shard: int) -> str:
    return f"{shard_prefix(namespace, shard)}{ShardKey.ends}"


def outboxes(namespace: str, shard: int) -> str:
    return f"{shard_prefix(namespace, shard)}{ShardKey.outboxes}"


def planned(namespace: str, shard: int) -> tuple[str, str]:
    """Return the keys of all that a shard must look at, and when."""
    return due(namespace, shard), outboxes(namespace, shard)


def index(namespace: str, shard: int, name: str) -> str:
    """Return the key of a set of threads."""
    return f"{shard_prefix(namespace, shard)}{ShardKey.found}{name}"


def kept(namespace: str, shard: int) -> str:
    """Return the key of a shard's part of what stores keep: the namespaces that are there."""
    return f"{shard_prefix(namespace, shard)}{ShardKey.kept}"


def workers(namespace: str) -> str:
    return f"{namespace}:workers"


def meta(namespace: str) -> str:
    return f"{namespace}:meta"


def wake(namespace: str, who: str) -> str:
    """Return the key that wakes the read of a process or loop; it lapses by itself."""
    return f"{namespace}:wake:{who}"


def run_id(namespace: str, run: str) -> str:
    """Return the key that tells which thread has a run whose caller chose its id."""
    return f"{namespace}:run:{run}"


def killed(namespace: str, x: str) -> str:
    """Return the key that tells workers to end what they run of a thread in vain."""
    return f"{namespace}:kill:{x}"


def drained(namespace: str, x: str, run: str) -> str:
    """Return the key that tells why a run is to stop at its next superstep."""
    return f"{namespace}:drain:{x}:{run}"


def sweeper(namespace: str, number: int) -> str:
    """Return the key of a turn to sweep: workers of each format take turns among themselves."""
    return f"{namespace}:sweeper:{number}"


def all_headers(namespace: str) -> str:
    """Return the SCAN pattern of every thread's header."""
    # A set of threads may be named after a graph that ends like a header: it has no thread's hash.
    return f"{namespace}{{[0-9][0-9]}}:{'[a-z2-7]' * 24}:{ThreadKey.header}"


def checkpoint_field(ns: str, cp: str) -> str:
    """Return the field of a checkpoint; without an id what all of the frame's begin with."""
    return f"{Field.checkpoint}{ns}|{cp}"


def log_field(ns: str, cp: str, number: str) -> str:
    """Return the field of a record that a saver noted of a checkpoint's tasks, from 0 on."""
    return f"{Field.log}{ns}|{cp}|{number}"


def channel_field(ns: str, ref: str) -> str:
    """Return the field of a channel's blob; ``ref`` is "channel@version"."""
    return f"{Field.channel}{ns}|{ref}"


def packet_field(ns: str, packet: str) -> str:
    """Return the field of a packet of a small bundle."""
    return f"{Field.packet}{ns}|{packet}"


def caller_writes_field(ns: str, cp: str) -> str:
    """Return the field of what callers wrote at a checkpoint."""
    return f"{Field.caller_writes}{ns}|{cp}"


def left_field(ns: str, cp: str) -> str:
    """Return the field of what the tasks left that ran from a checkpoint."""
    return f"{Field.left}{ns}|{cp}"


def thread_of_header(namespace: str, header: str) -> Thread:
    return Thread.from_x(namespace, header.split(":")[-2])
