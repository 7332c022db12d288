"""Who must not wait for a graph: a Celery task on a worker that the graph may need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from celery import Celery, _state

from checkpoint_redis.sightings import WorkerSeen

from ..shared.served import Served


def refuse_to_wait(served: Served, workers: Callable[[], Iterable[WorkerSeen]]) -> None:
    """Raise RuntimeError in a worker that consumes one of the queues that a graph runs on.

    As Celery does for ``AsyncResult.get()``, and by its own mark: ``allow_join_result`` lifts both.
    ``workers`` tells what is seen of them; it is asked only before this raises.
    """
    if not _state.task_join_will_block():  # type: ignore[attr-defined]  # left out of the types
        return
    worker_app = _state.default_app  # type: ignore[attr-defined]  # left out of the types
    consumed = _consumed(worker_app)
    shared = [queue for queue in served.queues if queue in consumed]
    if shared and (shared := list(_still(shared, workers()))):
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
    return frozenset((*app.amqp.queues.consume_from, _own()))


def _own() -> str:
    """Return the queue from which the running task came."""
    task = _state.get_current_worker_task()
    told = (task.request.delivery_info if task else None) or {}
    return str(told.get("routing_key"))


def _still(queues: Iterable[str], workers: Iterable[WorkerSeen]) -> Iterator[str]:
    """Yield the queues that this worker did not drop meanwhile, which its main process tells."""
    task, own = _state.get_current_worker_task(), _own()
    name = task.request.hostname if task else None
    seen = next((worker.queues for worker in workers if worker.name == name), None)
    for queue in queues:
        if seen is None or queue == own or queue in seen:
            yield queue
