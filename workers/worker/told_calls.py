"""What an attempt streams of the functions that it calls, and that run in its process."""

from __future__ import annotations

from functools import partial

from distgraph.events import Event, FunctionCalled, Inside, Relayed
from distgraph.runners.functions import TellCalls

from .attempt import Attempt
from .calls import MadeCalls
from .relaying import Relay


def told_calls(attempt: Attempt, calls: MadeCalls) -> TellCalls | None:
    """Return what is told of calls and streams it, None where nobody asks for that.

    What others run they tell of themselves, but that it was called.
    """
    relay = attempt.calls_relay
    return None if relay is None else partial(_tell, attempt, calls, relay)


def _tell(attempt: Attempt, calls: MadeCalls, relay: Relay, event: Event | None) -> None:
    if event is None or isinstance(event, Inside | Relayed):
        return
    if _is_repeated(attempt, calls, event):
        return
    relay.publish(attempt.emitter, Inside(attempt.graph, event))


def _is_repeated(attempt: Attempt, calls: MadeCalls, event: Event) -> bool:
    """Whether a call of the body was told before that was left, and begins again at its top."""
    if not isinstance(event, FunctionCalled):
        return False
    caller = event.task.caller
    is_of_body = caller is not None and caller.id == attempt.task.id
    return is_of_body and not calls.shows()
