"""Bounds of what the scripts do at once, and of what is stored."""

from __future__ import annotations

from typing import Final


class Limit:
    """Bounds of the scripts, in ms, bytes or pieces."""

    # What one command is given at most: unpack fails near 8,000 items.
    slice: Final = 1_000
    # A reply holds so many hints; of what is looked at again a sample is sent.
    hints: Final = 1_000
    sample: Final = 100
    # An outbox is looked at so much later, and each time that nothing was taken later still.
    outbox_ms: Final = 2_000
    recheck_ms: Final = 15_000
    recheck_max_ms: Final = 300_000
    # So is one whose hint a worker could not take.
    unserved_ms: Final = 1_000
    unserved_max_ms: Final = 30_000
    # So are those beside empty queues, of which one call scans so many.
    waiting_ms: Final = 900
    waiting_max_ms: Final = 30_000
    scanned: Final = 500
    # So many due entries of threads in a newer format does one sweep of a shard pass over.
    passed: Final = 500
    # So many tasks does an adoption queue again by itself.
    begun_again: Final = 250
    # With so many tasks does one script go on, and so many does a slice of more queue.
    together: Final = 150
    moved: Final = 150
    # So many names of a thread's fields are read at once.
    named: Final = 4_000
    # So many questions are looked up by their ids at once.
    looked_up: Final = 100
    # So many questions of a task whose deadlines are over are answered at once.
    late: Final = 100
    # So much of what tasks have begun and ask is gone through on a drop; so many fields of what
    # frames inside them have open, each of which counts as some more.
    dropped: Final = 400
    dropped_inside: Final = 2_000
    dropped_frame: Final = 40
    # So many bundles does a drop, or a look at what is dropped, remove; so many keys of a kind a
    # slice of a delete, and few besides an open superstep.
    bundles: Final = 100
    removed: Final = 400
    removed_too: Final = 50
    # The events of a thread at rest, and what is staged, live so long.
    events_ms: Final = 300_000
    staged_ms: Final = 600_000
    # So does what wakes a read; no read is blocked for so long.
    wake_ms: Final = 60_000
    # What is larger keeps its form while the thread waits.
    frozen_fields: Final = 64
    frozen_bytes: Final = 8_192
    packed_fields: Final = 64
    packed_bytes: Final = 65_536
    # What a larger superstep left is not moved but keeps its key.
    left_fields: Final = 64
    left_bytes: Final = 262_144
    # What is longer of a result and stands in a value is stored there alone.
    shared: Final = 256
    # Of so many runs before the last a line is kept, with the first bytes of who started it; their
    # records for so long from then on, and what is larger only of the one before the last.
    lines: Final = 20
    by: Final = 14
    record_ms: Final = 3_600_000
    record: Final = 4_096
    # As long as a line can say that a run took.
    took_ms: Final = 2**40 - 1
    # So many answers that joined a run are known again; a run's id has at most so many bytes, since
    # a line, which has two of them, has at most 255.
    joined: Final = 200
    run_id: Final = 126
    # A longer id of a checkpoint, which a saver may bring, is left out of a line.
    line_checkpoint: Final = 90
    # What is larger is not part of a reply, of an entry, or of the stream.
    inline_writes: Final = 1_048_576
    inline_fields: Final = 2_000
    inline_channels: Final = 65_536
    # More packets, or ones over inline_channels, have a key of their own; beyond these numbers, or
    # over inline_writes, they come in slices beforehand.
    few_packets: Final = 16
    inline_packets: Final = 1_000
    # A thread keeps so many events, and of their payloads at most twice so many bytes.
    events: Final = 100_000
    # So many threads of a shard are looked at for a list at once.
    listed: Final = 250
    # A list tells what so many tasks of a thread ask, in so many bytes.
    listed_asking: Final = 20
    listed_bytes: Final = 65_536
    # So many fields are read for a page, and those of one thread more.
    listed_fields: Final = 2_500
    # Of each at least so many.
    listed_line: Final = 16
    # So many items of a store that have lapsed does a script take out of its lists; so many items
    # and bytes are in a page of what is searched, and so many names in one of namespaces.
    lapsed: Final = 500
    kept_looked: Final = 1_000
    kept_bytes: Final = 4_194_304
    kept_names: Final = 2_000
    # So many ends of runs does a shard keep.
    ends: Final = 10_000
    event_bytes: Final = 33_554_432
