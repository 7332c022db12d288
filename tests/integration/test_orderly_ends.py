"""A worker that is told to end hands over what it does: no failure, no loss, and others go on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis.layout import TaskState
from distgraph.errors import NodeStopped
from tests.support.celery_worker import CeleryWorker
from tests.support.site import QUICK, Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers.client.run import CeleryRun

pytestmark = [pytest.mark.celery, pytest.mark.slow]
LONG = {"width": 2, "pause": 600.0}
# Nobody looks after what is overdue, and no lease runs out: what goes on was handed over.
ALONE = {"lease": 3_600.0, "heartbeat": 1.0, "sweep": 3_600.0}


def lasting(log: Path, folder: Path) -> dict[str, str]:
    """Return the input of a node that lasts until `folder` has a file `gate`."""
    return {"log": str(log), "gate": str(folder / "gate")}


def tasks(site: Site, thread_id: str) -> list[Any]:
    loaded = site.backend.ledger.load(site.backend.thread_key(thread_id))
    assert loaded is not None
    return list(loaded.tasks)


def test_what_a_worker_is_cut_short_in_goes_on_elsewhere(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**ALONE)
    (ends,) = site.start(1, concurrency=2, env={"SOFT_SHUTDOWN": "0.1"})
    site.graphs["fan"].submit({**LONG, "log": str(log)}, on(thread_id))
    wait_until(lambda: len(lines(log)) == 2, "both tasks to begin")
    (other,) = site.start(1, concurrency=2)
    os.kill(ends.pid, signal.SIGQUIT)
    wait_until(lambda: len(lines(log)) == 4, "both tasks to begin elsewhere")
    for task in tasks(site, thread_id):
        assert (task.st, task.att, task.lost) == (TaskState.running, 1, 0)
        assert task.owner.startswith(other.name)
    assert site.backend.thread(thread_id).status == "busy"
    other.kill()  # it would wait for its nodes


def interrupt_twice(worker: CeleryWorker) -> None:
    os.kill(worker.pid, signal.SIGINT)
    wait_until(lambda: "Hitting Ctrl+C again" in worker.output, "the first Ctrl-C to be heard")
    os.kill(worker.pid, signal.SIGINT)


def end_its_processes(worker: CeleryWorker) -> None:
    for process in worker.children():
        process.terminate()


def signal_all(worker: CeleryWorker) -> None:
    os.killpg(worker.pid, signal.SIGTERM)


ENDS: dict[str, tuple[Callable[[CeleryWorker], None], dict[str, str]]] = {
    "the service manager signals the whole group": (signal_all, {}),
    "somebody ends a process of the pool": (end_its_processes, {}),
    "Ctrl-C twice": (interrupt_twice, {"SOFT_SHUTDOWN": "0.5"}),
    "SIGTERM that is remapped": (
        lambda worker: os.kill(worker.pid, signal.SIGTERM),
        {"REMAP_SIGTERM": "SIGQUIT", "SOFT_SHUTDOWN": "0.5"},
    ),
    "a soft shutdown that expires": (
        lambda worker: os.kill(worker.pid, signal.SIGQUIT),
        {"SOFT_SHUTDOWN": "0.5"},
    ),
}


@pytest.mark.parametrize("how", ENDS)
def test_what_a_worker_is_cut_short_in_is_neither_a_failure_nor_a_loss(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path, how: str
) -> None:
    end, env = ENDS[how]
    site = own_site(**ALONE)
    (ends,) = site.start(1, concurrency=1, env={**env, "SERVE": "block"})
    run = site.graphs["block"].submit(lasting(log, tmp_path), on(thread_id))
    wait_until(lambda: len(lines(log)) == 1, "the node to begin")
    end(ends)
    site.start(1, concurrency=1, env={"SERVE": "block"})
    wait_until(lambda: len(lines(log)) == 2, "the node to begin elsewhere")
    (task,) = tasks(site, thread_id)
    assert (task.st, task.att, task.lost) == (TaskState.running, 1, 0)
    (tmp_path / "gate").touch()
    assert run.result(timeout=PATIENCE)["done"] == "blocking"


def revoke(site: Site, worker: CeleryWorker) -> None:
    control = site.backend.app.control
    active = control.inspect([worker.name], timeout=PATIENCE).active()
    assert active is not None
    ((job,),) = active.values()
    control.revoke(job["id"], terminate=True)


@pytest.mark.parametrize(("graph", "begins"), [("block", 1), ("block_again", 2)])
def test_a_node_whose_job_is_revoked_has_failed_as_its_policy_says(
    own_site: Callable[..., Site], log: Path, graph: str, begins: int
) -> None:
    site = own_site(**{**ALONE, "sweep": 0.3})
    (worker,) = site.start(1, concurrency=2, env={"SERVE": graph})
    run = site.graphs[graph].submit(lasting(log, log.parent), on("t"))
    for count in range(1, begins + 1):
        wait_until(partial(_has_lines, log, count), "the node to begin")
        revoke(site, worker)
    with pytest.raises(NodeStopped, match="'only' was ended because its Celery job was revoked"):
        run.result(timeout=PATIENCE)
    assert len(lines(log)) == begins


def _has_lines(log: Path, count: int) -> bool:
    return len(lines(log)) == count


def test_a_node_that_runs_into_the_time_limit_has_failed_as_its_policy_says(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site(**{**ALONE, "sweep": 0.3})
    site.start(1, concurrency=1, env={"SERVE": "block_again"}, options=("--time-limit", "1"))
    run = site.graphs["block_again"].submit(lasting(log, tmp_path), on(thread_id))
    with pytest.raises(NodeStopped, match="'only' ran into the time limit of its worker, 1 s"):
        run.result(timeout=PATIENCE)
    assert [line.split()[:2] for line in lines(log)] == [["begins", "1"], ["begins", "2"]]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_end_finishes_what_it_does(
    own_site: Callable[..., Site], thread_id: str, log: Path, stop: signal.Signals
) -> None:
    site = own_site(**QUICK)
    (ends,) = site.start(1, concurrency=1)
    run = site.graphs["fan"].submit({"width": 3, "pause": 0.5, "log": str(log)}, on(thread_id))
    wait_until(lambda: lines(log), "a task to begin")
    os.kill(ends.pid, stop)
    site.start(1, concurrency=1)
    assert run.result(timeout=PATIENCE)["total"] == 3
    assert len(lines(log)) == 3


class Folders:
    """A broker of folders, by kombu's filesystem transport: one that has no event loop."""

    url = "filesystem://"

    def __init__(self, folder: Path) -> None:
        self.options = {"control_folder": str(folder / "control")}
        for each in ("data_folder_in", "data_folder_out"):
            self.options[each] = str(folder / "messages")
        for path in set(self.options.values()):
            Path(path).mkdir()

    @property
    def env(self) -> dict[str, str]:
        return {"DISTGRAPH_BROKER_OPTIONS": json.dumps(self.options)}


def with_a_replaced_process(
    site: Site, broker: Folders, log: Path
) -> tuple[CeleryRun, CeleryWorker]:
    """Return a run whose node is in its second attempt, in a process that replaced the first."""
    (worker,) = site.start(1, concurrency=1, env=broker.env)
    run = site.graphs["block"].submit(lasting(log, log.parent), on("t"))
    wait_until(partial(_has_lines, log, 1), "the node to begin")
    (first,) = worker.children()
    first.kill()
    wait_until(partial(_has_lines, log, 2), "the node to begin again")
    return run, worker


def test_a_process_that_replaced_another_finishes_what_it_does_when_its_worker_leaves(
    own_site: Callable[..., Site], log: Path, tmp_path: Path
) -> None:
    broker = Folders(tmp_path)
    site = own_site(broker=broker, broker_options=broker.options)
    run, worker = with_a_replaced_process(site, broker, log)
    forked_by, before = _thread_that_forked(worker), len(worker.output)
    os.kill(worker.pid, signal.SIGTERM)
    wait_until(lambda: not forked_by.exists(), "the thread to end that forked the process")
    (tmp_path / "gate").touch()
    assert run.result(timeout=PATIENCE)["done"] == "blocking"
    wait_until(lambda: not worker.alive, "the worker to leave")
    assert "signal 9" not in worker.output[before:]
    assert len(lines(log)) == 3


def test_a_process_that_replaced_another_ends_with_its_worker(
    own_site: Callable[..., Site], log: Path, tmp_path: Path
) -> None:
    broker = Folders(tmp_path)
    site = own_site(broker=broker, broker_options=broker.options)
    _, worker = with_a_replaced_process(site, broker, log)
    (process,) = worker.children()
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: not process.is_running(), "the process to end")


def _thread_that_forked(worker: CeleryWorker) -> Path:
    """Return where Linux tells of the thread that is the parent of the worker's processes."""
    pool = {str(process.pid) for process in worker.children()}
    threads = Path(f"/proc/{worker.pid}/task").iterdir()
    (parent,) = (each for each in threads if pool <= set((each / "children").read_text().split()))
    return parent


def test_a_pool_whose_processes_are_recycled_loses_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**ALONE)
    site.start(1, concurrency=2, options=("--max-tasks-per-child", "2"))
    run = site.graphs["fan"].submit({"width": 12, "log": str(log)}, on(thread_id))
    assert run.result(timeout=PATIENCE)["total"] == sum(range(12))
    assert len(lines(log)) == 12


def test_a_pool_that_would_spawn_its_processes_is_refused(own_site: Callable[..., Site]) -> None:
    site, spawn = own_site(), {"START_METHOD": "spawn", "SERVE": "steps"}
    refused = site.launch(env=spawn)
    wait_until(lambda: not refused.alive, "the worker to end")
    assert refused.returncode != 0
    assert "worker_pool_start_method = 'fork'" in refused.output
    site.start(1, env=spawn, pool="threads")
    assert site.graphs["steps"].invoke({}, on("t"))["path"] == ["a", "b", "c"]


def test_a_pool_that_shrinks_loses_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**ALONE)
    (worker,) = site.start(1, concurrency=3)
    run = site.graphs["fan"].submit({"width": 20, "pause": 0.1, "log": str(log)}, on(thread_id))
    wait_until(lambda: lines(log), "a task to begin")
    site.backend.app.control.pool_shrink(1, destination=[worker.name])
    assert run.result(timeout=PATIENCE)["total"] == sum(range(20))
    assert len(lines(log)) == 20
