"""One side of a comparison: a process that is told what to run, and says how long it took.

The peers' environment imports this too, so it needs the standard library alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

Timed = tuple[float, Any]
Workload = Callable[[int], Timed]


def timed(work: Callable[[], Any]) -> Timed:
    """Return how many seconds ``work`` took, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def serve(workloads: Mapping[str, Workload]) -> None:
    """Answer requests, a JSON object a line: {workload, size} -> {seconds, result} | {error}."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            seconds, result = workloads[request["workload"]](request["size"])
            answer = {"seconds": seconds, "result": result}
        except Exception:  # noqa: BLE001 the other end raises it
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
