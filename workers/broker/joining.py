"""Who must not wait for a graph: a Celery task on a worker that the graph may need."""

from __future__ import annotations

from celery import Celery, _state

from ..shared.served import Served


def refuse_to_wait(served: Served) -> None:
    """Raise RuntimeError in a worker that consumes one of the queues that a graph runs on.

    As Celery does for ``AsyncResult.get()``, and by its own mark: ``allow_join_result`` lifts both.
    """
    if not _state.task_join_will_block():  # type: ignore[attr-defined]  # left out of the types
        return
    worker_app = _state.default_app  # type: ignore[attr-defined]  # left out of the types
    consumed = _consumed(worker_app)
    if shared := [queue for queue in served.queues if queue in consumed]:
        what = (
            f"This worker consumes queue '{shared[0]}', which graph '{served.graph.name}' runs on: "
            "a Celery task that waits here for it may hold the place that it needs, for ever."
        )
        todo = (
            "Start it with graph.submit(...), return, and look at it later (graph.get_state, "
            "backend.run); give the graph a queue of other workers; or wait inside `with "
            "celery.result.allow_join_result():` where others surely have a place for it."
        )
        raise RuntimeError(f"{what} {todo}")


def _consumed(app: Celery) -> frozenset[str]:
    """Return what the worker of this process consumes, as far as this process knows.

    What a worker is told to consume later on, a process of its pool sees by its job alone.
    """
    if app.conf.task_always_eager:
        return frozenset()
    task = _state.get_current_worker_task()
    told = (task.request.delivery_info if task else None) or {}
    return frozenset((*app.amqp.queues.consume_from, str(told.get("routing_key"))))
