"""The peers' side: LangGraph in process, Celery's chain and chord; needs none of our packages."""

from __future__ import annotations

from celery import chain, chord
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from bench import peer_app
from bench.graphs import approval, fanout, loop, run_approvals, run_fanout, run_loop
from bench.imports import run_import
from bench.serve import Timed, serve, timed

PATIENCE = 300.0


def run_chain(size: int) -> Timed:
    """Run ``size`` hops; the result is what the last one returns."""
    hops = chain(peer_app.count.s(0), *(peer_app.count.s() for _ in range(size - 1)))
    return timed(lambda: hops.apply_async().get(timeout=PATIENCE))


def run_chord(size: int) -> Timed:
    """Square ``size`` numbers in tasks of their own; the result is the callback's sum."""
    tasks = [peer_app.square.s(n) for n in range(size)]
    return timed(lambda: chord(tasks)(peer_app.add.s()).get(timeout=PATIENCE))


if __name__ == "__main__":
    there = "langgraph"
    serve(
        {
            "loop": run_loop(loop(there).compile()),
            "loop, memory": run_loop(loop(there).compile(checkpointer=InMemorySaver())),
            "fan-out": run_fanout(fanout(there).compile()),
            "fan-out, memory": run_fanout(fanout(there).compile(checkpointer=InMemorySaver())),
            "approval, memory": run_approvals(
                approval(there).compile(checkpointer=InMemorySaver()), Command
            ),
            "chain": run_chain,
            "chord": run_chord,
            "import": run_import("langgraph.graph"),
        }
    )
