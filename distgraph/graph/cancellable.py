"""Whether what a node is can be cancelled: blocking code inside langchain-core's Runnables cannot.

Their ``ainvoke`` runs it in a thread, which goes on.
"""

from __future__ import annotations

import sys
from typing import Any

_BASE = "langchain_core.runnables.base"


def is_cancellable(call: Any) -> bool:
    """Whether the coroutine function ``call`` can be cancelled, as far as this can be seen.

    As in LangGraph, sequences, parallel branches and bound Runnables are looked into, and a
    Runnable of a class of the user's can be where that has an ``ainvoke`` of its own.
    """
    base, owner = sys.modules.get(_BASE), getattr(call, "__self__", None)
    if base is None or not isinstance(owner, base.Runnable):
        return True
    return _runs_on_loop(base, owner)


def _runs_on_loop(base: Any, runnable: Any) -> bool:
    match runnable:
        case base.RunnableBindingBase():
            return _runs_on_loop(base, runnable.bound)
        case base.RunnableSequence():
            return all(_runs_on_loop(base, step) for step in runnable.steps)
        case base.RunnableParallel():
            return all(_runs_on_loop(base, step) for step in runnable.steps__.values())
        case base.RunnableLambda():
            return hasattr(runnable, "afunc")
        case _:
            return type(runnable).ainvoke is not base.Runnable.ainvoke
