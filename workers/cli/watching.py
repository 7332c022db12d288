"""What happens in a run, shown as it comes."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from distgraph.runners.handle import Run

from .ending import Clock, goes_on, in_words
from .screen import Screen, as_json, plain

SHOWN = 500
"""So many characters of an update are shown."""


def watched(screen: Screen, run: Run, target: str) -> str:
    """Show the updates of ``run`` until its end; return why it failed, '' when it did not."""
    clock, thread_id = Clock(), run.thread_id
    if not screen.as_json:
        screen.console.print(Text.assemble("thread ", plain(thread_id), style="bold"))
    try:
        with goes_on(thread_id, target):
            for mode, update in run.stream():
                if mode == "updates":
                    _show(screen, clock, update)
    except (ConnectionError, KeyboardInterrupt):
        raise
    except Exception as failed:  # noqa: BLE001 whatever a node raised
        return in_words(type(failed).__name__, str(failed), getattr(failed, "__notes__", ()))
    return ""


def _show(screen: Screen, clock: Clock, update: Any) -> None:
    if screen.as_json or not isinstance(update, dict):
        return
    for node, written in update.items():
        if node == "__interrupt__":
            continue
        text = as_json(written)
        cut = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
        screen.console.print(
            Text.assemble((f"{clock.seconds:7.2f} s  ", "dim"), (node, "bold"), f"  {cut}")
        )
