"""Our side of every row."""

from __future__ import annotations

from bench import ours_app
from bench.graphs import approval, fanout, loop, run_approvals, run_fanout, run_loop
from bench.imports import run_import
from bench.serve import serve
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command

if __name__ == "__main__":
    here = "distgraph"
    serve(
        {
            "loop": run_loop(loop(here).compile()),
            "loop, memory": run_loop(loop(here).compile(checkpointer=InMemorySaver())),
            "loop, celery": run_loop(ours_app.loops),
            "fan-out": run_fanout(fanout(here).compile()),
            "fan-out, memory": run_fanout(fanout(here).compile(checkpointer=InMemorySaver())),
            "fan-out, celery": run_fanout(ours_app.fanouts),
            "fan-out through an edge, celery": run_fanout(ours_app.routed),
            "graphs in tasks, celery": run_fanout(ours_app.inside),
            "approval, memory": run_approvals(
                approval(here).compile(checkpointer=InMemorySaver()), Command
            ),
            "approval, celery": run_approvals(ours_app.approvals, Command),
            "import": run_import("distgraph.graph"),
        }
    )
