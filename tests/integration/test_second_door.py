"""A project with a `workers` of its own: it has distgraph's package as `distgraph.celery`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, Process
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE, wait_until

SHOP = """
from typing import TypedDict

from distgraph.celery import CeleryBackend
from distgraph.graph import START, StateGraph
from workers{sub} import price


class Order(TypedDict, total=False):
    amount: int
    total: int


backend = CeleryBackend()
builder = StateGraph(Order).add_node("sum", lambda order: {{"total": price(order["amount"])}})
graph = builder.add_edge(START, "sum").compile(name="shop", backend=backend)
app = backend.app
"""
PRICE = "def price(amount):\n    return 3 * amount\n"
COPIES = """
import sys, workers, distgraph.celery
from distgraph.celery import CeleryBackend

names = [name for name in sys.modules if name.endswith("shared.served")]
kinds = [getattr(sys.modules[name], "Registry", None) for name in names]
found = {"same": distgraph.celery is workers, "file": workers.__file__}
found["copies"] = len({id(kind) for kind in kinds})
found["tasks"] = len([n for n in CeleryBackend().app.tasks if not n.startswith("celery.")])
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of somebody's code; `path` is what PYTHONPATH says when it is started elsewhere."""

    folder: Path
    env: dict[str, str]
    cwd: Path

    def python(self, code: str) -> Any:
        """Return what `code` puts into the variable `found`."""
        told = subprocess.run(
            [sys.executable, "-c", f"{code}\nimport json; print(json.dumps(found))"],
            cwd=self.cwd,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout.splitlines()[-1])

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `distgraph words...`, by the script that is installed."""
        return subprocess.run(
            [str(Path(sys.executable).parent / "distgraph"), *words],
            cwd=self.cwd,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture(params=["package", "module", "PYTHONPATH"])
def project(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer) -> Project:
    """Give a project that has a package `workers`, or a module, here or on PYTHONPATH."""
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    if request.param == "module":
        (folder / "workers.py").write_text(PRICE)
    else:
        (folder / "workers").mkdir()
        (folder / "workers" / "__init__.py").touch()
        (folder / "workers" / "pricing.py").write_text(PRICE)
    sub = "" if request.param == "module" else ".pricing"
    (folder / "shop.py").write_text(SHOP.format(sub=sub))
    outside = request.param == "PYTHONPATH"
    env = {
        "DISTGRAPH_REDIS": redis_server.url,
        "DISTGRAPH_NAMESPACE": f"t-{uuid.uuid4().hex[:16]}",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]) if outside else "",
    }
    return Project(folder, env, elsewhere if outside else folder)


INVOKE = """
from shop import backend, graph

found = graph.invoke({"amount": 7}, {"configurable": {"thread_id": "t"}})
"""


@pytest.mark.celery
def test_a_celery_worker_serves_its_graphs(project: Project, tmp_path: Path) -> None:
    celery = [
        str(Path(sys.executable).parent / "celery"),
        "-A",
        "shop",
        "worker",
        "-P",
        "solo",
        "-l",
        "INFO",
    ]
    worker = Process(celery, log=tmp_path / "worker.log", env=project.env, cwd=project.cwd)
    try:
        wait_until(lambda: " ready." in worker.output or not worker.alive, "the worker")
        assert project.python(INVOKE) == {"amount": 7, "total": 21}
    finally:
        worker.end()


@pytest.mark.celery
def test_the_command_line_serves_and_runs_its_graphs(project: Project, tmp_path: Path) -> None:
    script = str(Path(sys.executable).parent / "distgraph")
    words = [script, "worker", "shop:graph", "--pool", "solo"]
    worker = Process(words, log=tmp_path / "worker.log", env=project.env, cwd=project.cwd)
    try:
        wait_until(lambda: " ready." in worker.output or not worker.alive, "the worker")
        ended = project.run("run", "shop:graph", "--input", '{"amount": 2}', "--json")
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["values"] == {"amount": 2, "total": 6}
    finally:
        worker.end()


@pytest.mark.redis
def test_there_is_one_copy_beside_the_projects_own(project: Project) -> None:
    found = project.python(COPIES)
    assert not found["same"]
    assert found["file"].startswith(str(project.folder))
    assert (found["copies"], found["tasks"]) == (1, 1)


@pytest.mark.redis
def test_a_wrong_import_says_which_is_right(project: Project) -> None:
    shop = (project.folder / "shop.py").read_text()
    for wrong in ("from workers import CeleryBackend", "from workers.backend import CeleryBackend"):
        text = shop.replace("from distgraph.celery import CeleryBackend", wrong)
        (project.folder / "shop.py").write_text(text)
        ended = project.run("run", "shop:graph", "--input", "{}")
        assert ended.returncode == 2
        assert "`from distgraph.celery import CeleryBackend`" in ended.stderr
        assert str(project.folder / "workers") in ended.stderr
        assert ended.stderr.count("\n") == 1


@pytest.mark.redis
def test_a_second_copy_is_refused(project: Project) -> None:
    late = """
import sys
import distgraph.celery

sys.path = [each for each in sys.path if each not in ("", {folder!r})]
try:
    import workers
except ImportError as error:
    found = str(error)
"""
    found = project.python(late.format(folder=str(project.folder)))
    assert "import from distgraph.celery everywhere" in found


# --- where `workers` is distgraph's ------------------------------------------------------------


@pytest.mark.parametrize("first", ["", "import workers\n", "import workers.backend\n"])
@pytest.mark.parametrize("folder", [None, "workers"])
def test_the_second_door_leads_to_the_same_module(
    tmp_path: Path, first: str, folder: str | None
) -> None:
    if folder:  # of data, say: without a file __init__.py any package is found before it
        (tmp_path / folder).mkdir()
    found = Project(tmp_path, {"PYTHONPATH": str(ROOT)}, tmp_path).python(first + COPIES)
    assert found["same"]
    assert found["file"] == str(ROOT / "workers" / "__init__.py")
    assert (found["copies"], found["tasks"]) == (1, 1)


def test_modules_behind_the_second_door_are_those_behind_the_first(tmp_path: Path) -> None:
    code = """
import distgraph.celery.client.run as a, workers.client.run as b
from distgraph.celery.cli import targets as c
from workers.cli import targets as d
found = [a is b, c is d, a.__name__, a.__spec__.name]
"""
    found = Project(tmp_path, {"PYTHONPATH": str(ROOT)}, tmp_path).python(code)
    assert found == [True, True, "workers.client.run", "workers.client.run"]


def test_whoever_means_another_workers_is_told_whose_it_is(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import workers.tasks\n")
    ended = Project(tmp_path, {"PYTHONPATH": str(ROOT)}, tmp_path).run("worker", "shop:graph")
    assert ended.returncode == 2
    assert "No module named 'workers.tasks'" in ended.stderr
    assert "`workers` is distgraph's package here." in ended.stderr
