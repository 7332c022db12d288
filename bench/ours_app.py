"""What our Celery workers serve; BENCH_REDIS says where."""

from __future__ import annotations

import os

from bench.graphs import approval, fanout, graphs, loop
from workers import CeleryBackend

backend = CeleryBackend(os.environ["BENCH_REDIS"], namespace="bench")
loops = loop("distgraph").compile(name="loop", backend=backend)
fanouts = fanout("distgraph").compile(name="fanout", backend=backend)
routed = fanout("distgraph", routed=True).compile(name="routed", backend=backend)
inside = graphs("distgraph").compile(name="graphs", backend=backend)
approvals = approval("distgraph").compile(name="approval", backend=backend)
app = backend.app
