"""The programs of the guides, run as the guides say: several processes that speak HTTP."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml

from tests.support.celery_worker import CeleryWorker
from tests.support.processes import ROOT, Process
from tests.support.waiting import PATIENCE, wait_until
from tests.support.web_server import Asked, web_server

pytestmark = [pytest.mark.celery, pytest.mark.slow]

Load = Callable[[str], ModuleType]
Start = Callable[..., CeleryWorker]
Serve = Callable[..., httpx.Client]
BIN = Path(sys.executable).parent


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Give a function that runs an application by uvicorn, and returns a client of it."""
    running: list[tuple[Process, httpx.Client]] = []

    def served(application: str, *options: str) -> httpx.Client:
        command = [sys.executable, "-m", "uvicorn", application, "--port", "0", *options]
        process = Process(command, log=tmp_path / f"uvicorn-{len(running)}.log")
        (url,) = wait_until(lambda: re.findall(r"http://[\d.]+:\d+", process.output), application)
        client = httpx.Client(base_url=url, timeout=PATIENCE)
        running.append((process, client))
        return client

    yield served
    for process, client in running:
        client.close()
        process.end()


# --- FastAPI ------------------------------------------------------------------------------------


def test_a_stream_goes_on_in_another_process_of_the_service(
    load: Load, start_worker: Start, serve: Serve
) -> None:
    load("examples.refunds")
    start_worker("examples.refunds")
    one, two = serve("examples.web:service"), serve("examples.web:service")
    run = one.post("/refunds/order-1", json={"amount": 120}).json()["run"]
    asked = list(events(two, f"/refunds/order-1/runs/{run}/events"))
    assert asked[-1] == ("", "end", "interrupted")
    (question,) = two.get("/refunds/order-1/questions").json()
    assert question["value"] == {"refund": "order-1", "amount": 120.0}

    answers = f"/refunds/order-1/answers/{question['id']}"
    run = one.post(answers, json=True).json()["run"]
    whole = list(events(two, f"/refunds/order-1/runs/{run}/events"))
    first, second, _ = whole
    assert [first[2], second[2]] == [
        {"review": {"approved": True, "log": ["somebody said yes"]}},
        {"pay": {"log": ["paid 120.00"]}},
    ]
    assert list(events(one, f"/refunds/order-1/runs/{run}/events", first[0])) == whole[1:]
    assert two.post(answers, json=True).status_code == 409
    assert two.get("/refunds/nobody/questions").status_code == 404


def events(client: httpx.Client, path: str, seen: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield the id, the name and the data of what a stream sends, behind the id ``seen``."""
    headers = {"Last-Event-ID": seen} if seen else {}
    with client.stream("GET", path, headers=headers) as reply:
        reply.raise_for_status()
        text = "".join(reply.iter_text())
    for each in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in each.splitlines())
        yield fields.get("id", ""), fields["event"], json.loads(fields["data"])


# --- Django -------------------------------------------------------------------------------------


def test_a_user_of_a_django_project_is_let_in_by_an_answer(
    load: Load, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = "examples.django_project"
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", f"{project}.settings")
    monkeypatch.setenv("DATABASE", str(tmp_path / "django.sqlite"))
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, check=True)
    worker = CeleryWorker(f"{project}.celery", folder=tmp_path)
    try:
        worker.wait_ready()
        web = serve("django.core.asgi:get_asgi_application", "--factory")
        assert web.post("/signups/ada").status_code == 202
        wait_until(lambda: standing(web) == (False, "interrupted"), "the question")
        assert web.post("/signups/ada/decide", data={"approved": "yes"}).status_code == 202
        wait_until(lambda: standing(web) == (True, "idle"), "the answer")
        assert web.post("/signups/ada/decide", data={"approved": "no"}).status_code == 409
    finally:
        worker.end()


def standing(web: httpx.Client) -> tuple[bool, str]:
    """Return whether the user may come in, and the status of the thread."""
    shown = web.get("/signups/ada/show").json()
    return shown["active"], shown["thread"]


# --- a batch --------------------------------------------------------------------------------------


def test_each_page_of_a_batch_is_counted_once_although_calls_fail(
    load: Load, start_worker: Start
) -> None:
    batch = load("examples.batch")

    def busy_at_first(asked: list[Asked]) -> int:
        path = asked[-1].path
        return 503 if path.endswith("7") and [each.path for each in asked].count(path) == 1 else 200

    with web_server(busy_at_first) as server:
        start_worker("examples.batch")
        state = batch.main(f"{server.url}/{{}}", 30)
    assert state["sizes"] == [2] * 30
    assert len(server.asked) == 33


# --- approvals by chat ----------------------------------------------------------------------------


def test_a_button_in_a_chat_answers_once(
    load: Load, start_worker: Start, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals = load("examples.approvals")
    with web_server() as chat:
        monkeypatch.setenv("CHAT_URL", f"{chat.url}/hook")
        start_worker("examples.approvals")
        run = approvals.main("vacation-1", "a week off")
        approvals.backend.run("vacation-1", run).result(timeout=PATIENCE)
        (posted,) = map(json.loads, (each.body for each in chat.asked))
        assert posted["text"] == "a week off"
        service = serve("examples.approvals:service")
        pressed = {"thread": posted["thread"], "key": posted["key"], "approved": True, "by": "ada"}
        run = service.post("/answers", json=pressed).json()["run"]
        state = approvals.backend.run("vacation-1", run).result(timeout=PATIENCE)
        assert state["approved"] is True
        assert service.post("/answers", json=pressed).status_code == 409
        other = {**pressed, "thread": "vacation-2"}
        assert service.post("/answers", json=other).status_code == 409
    assert [answer.by for answer in approvals.backend.thread("vacation-1").answers()] == ["ada"]
    assert len(chat.asked) == 1


# --- tests of graphs ------------------------------------------------------------------------------


def test_the_tests_of_the_example_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0"]
    ended = subprocess.run(
        [*command, "examples/graph_tests.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout
    assert "4 passed" in ended.stdout


# --- Sentry and Flower ----------------------------------------------------------------------------


def test_sentry_and_flower_are_told_of_a_node_that_fails(
    load: Load, start_worker: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = load("examples.watched")
    monkeypatch.setenv("FLOWER_UNAUTHENTICATED_API", "true")
    with web_server() as sentry:
        monkeypatch.setenv("SENTRY_DSN", f"http://key@127.0.0.1:{sentry.port}/1")
        start_worker("examples.watched", options=("-E",))
        socket = tmp_path / "flower.sock"
        command = [sys.executable, "-m", "celery", "-A", "examples.watched", "flower"]
        flower = Process([*command, f"--unix-socket={socket}"], log=tmp_path / "flower.log")
        try:
            # It writes "Connected to" before it receives events: those tell it of the worker.
            wait_until(lambda: "Connected to" in flower.output, "Flower")
            wait_until(lambda: _shown(socket, "workers?status=true"), "Flower to hear the worker")
            with pytest.raises(LookupError, match="no driver for delivery 7"):
                watched.main(7)
            wait_until(lambda: _failures(sentry.asked), "Sentry to be told")
            wait_until(lambda: _tasks(socket) == {("deliveries.deliver", "FAILURE")}, "Flower")
        finally:
            flower.end()
    assert {"LookupError", "JobFailed"} <= set(_failures(sentry.asked))


def _failures(asked: list[Asked]) -> list[str]:
    """Return the kinds of the exceptions that Sentry was told of."""
    lines = (line for each in asked for line in each.body.splitlines() if b'"exception"' in line)
    return [one["type"] for line in lines for one in json.loads(line)["exception"]["values"]]


def _tasks(socket: Path) -> set[tuple[str, str]]:
    """Return the names and states of the tasks that Flower shows."""
    return {(task["name"], task["state"]) for task in _shown(socket, "tasks").values()}


def _shown(socket: Path, what: str) -> dict[str, Any]:
    """Return what Flower's API shows."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket))) as client:
        return dict(client.get(f"http://flower/api/{what}").json())


# --- systemd and Kubernetes -----------------------------------------------------------------------


def unit() -> tuple[list[str], dict[str, str]]:
    """Return the command of the systemd unit, and its variables."""
    parser = configparser.RawConfigParser(strict=False)
    text = (ROOT / "examples/deploy/distgraph-worker.service").read_text()
    parser.read_string(text)
    assert parser["Service"]["KillMode"] == "mixed"
    variables = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    assert float(variables["DISTGRAPH_GRACE"]) < float(parser["Service"]["TimeoutStopSec"])
    return shlex.split(parser["Service"]["ExecStart"]), variables


def pod() -> tuple[list[str], dict[str, str]]:
    """Return the command of the Deployment's container, and its variables."""
    deployment = yaml.safe_load((ROOT / "examples/deploy/kubernetes.yaml").read_text())
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    variables = {each["name"]: each.get("value", "") for each in container["env"]}
    assert float(variables["DISTGRAPH_GRACE"]) < spec["terminationGracePeriodSeconds"]
    return container["args"], variables


@pytest.mark.parametrize("described", [unit, pod])
def test_a_worker_as_a_service_manager_starts_it_serves_and_ends_in_order(
    described: Callable[[], tuple[list[str], dict[str, str]]], load: Load, tmp_path: Path
) -> None:
    refunds = load("examples.refunds")
    (program, *arguments), variables = described()
    command = [str(BIN / Path(program).name), *arguments]
    env = {"DISTGRAPH_GRACE": variables["DISTGRAPH_GRACE"]}
    worker = Process(command, log=tmp_path / "worker.log", env=env)
    try:
        assert refunds.main("order-1", "20")["log"][-1] == "paid 20.00"
    finally:
        worker.stop()
    assert worker.returncode in (0, -signal.SIGTERM)


def test_the_probe_of_the_deployment_finds_its_worker(load: Load, tmp_path: Path) -> None:
    refunds = load("examples.refunds")
    deployment = yaml.safe_load((ROOT / "examples/deploy/kubernetes.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (_, *probe) = container["livenessProbe"]["exec"]["command"]
    worker = Process([str(BIN / "distgraph"), *container["args"][1:]], log=tmp_path / "worker.log")
    try:
        refunds.main("order-1", "20")
        assert subprocess.run([str(BIN / "distgraph"), *probe], check=False).returncode == 0
    finally:
        worker.stop()
    assert subprocess.run([str(BIN / "distgraph"), *probe], check=False).returncode == 4
