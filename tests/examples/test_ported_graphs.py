"""Programs that newcomers port first: the same in process, on workers, and by LangGraph."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from checkpoint_redis.store import RedisStore
from tests.support.redis_server import RedisServer
from workers import CeleryBackend

DRAFTS = ["kind words on {}", "stern words on {}"]
SAID: dict[str, Any] = {
    "map_reduce": {
        "topic": "winter",
        "parts": ["winter at sea", "winter in the mountains", "winter at home"],
        "lines": [
            "All about winter at sea.",
            "All about winter in the mountains.",
            "All about winter at home.",
        ],
        "best": "All about winter in the mountains.",
    },
    "private_state": [{"advice": "ada should spend"}, {"advice": "bob should save"}],
    "deferred": (["flights", "hotels", "offer", "rooms"], "flight + hotel + room"),
    "functional_workflow": [
        (
            {"choose": [draft.format("rain") for draft in DRAFTS], "before": []},
            "published: stern words on rain",
        ),
        (
            {"choose": [draft.format("snow") for draft in DRAFTS], "before": ["rain"]},
            "published: kind words on snow",
        ),
    ],
    "time_travel": [
        {"dish": "fish", "wine": "white", "bill": 45},
        {"dish": "fish", "wine": "white", "bill": 45},
        {"dish": "steak", "wine": "red", "bill": 53},
        {"dish": "fish", "wine": "white", "bill": 45},
    ],
    "long_term_memory": [
        "I know of you: I like tea.",
        "I know of you: I like tea.",
        "I know of you: nothing.",
    ],
    "chatbot_with_tools": [
        *("Rome or Oslo?", "sun", "snow", "Sun in Rome and snow in Oslo."),
        *("What did I ask?", "You asked about Rome and Oslo."),
    ],
    "tool_approval": ([20, 900], ["20 sent to ada", "refused: too much"]),
    "handoff": [
        (None, "A room in Rome?"),
        ("to_booking", "passed on to booking"),
        ("find_rooms", "two rooms in Rome"),
        ("booking", "There are two rooms in Rome."),
    ],
    "supervisor": [("researcher", "5 bridges"), ("mathematician", "60 lamps")],
    "plan_and_execute": (
        ["did look up prices", "did compare prices", "did answer prices"],
        "Done: did answer prices",
    ),
    "reflection": [
        *("A poem.", "Say what it is about."),
        *("A short poem about rain.", "Less of the word poem."),
        *("Rain, and then the sun.", "Good."),
    ],
    "token_streaming": [
        *(("joke", word) for word in ("Knock ", "knock, ", "who ", "is ", "there?")),
        *(("judgement", word) for word in ("Not ", "bad ", "at ", "all.")),
    ],
    "react_agent": (["200", "80", "no", "error", "yes"], "Take the chair."),
    "context_and_callbacks": (["Hello ada", "Ciao bob"], ["hi from ada", "hi from bob"]),
}
"""What each program returns."""

every_program = pytest.mark.parametrize("name", SAID)


def module_of(name: str) -> ModuleType:
    return import_module(f"examples.ported.{name}")


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    """Give a backend of which one worker consumes, in this process."""
    with CeleryBackend(redis_server.url, namespace=f"t-{uuid.uuid4().hex[:16]}") as made:
        for name in SAID:
            on(made, name)
        with made.worker(pool="threads", concurrency=2):
            yield made


def on(backend: CeleryBackend, name: str) -> Any:
    """Return a program's graph on workers; a store is one that they share."""
    module = module_of(name)
    if name == "functional_workflow":
        return module.editor.on(backend, name)
    if name == "long_term_memory":
        url, namespace = backend.settings.redis, backend.settings.namespace
        store = RedisStore(url, namespace=namespace)
        return module.builder.compile(name=name, backend=backend, store=store)
    return module.graph.on(backend, name)


@every_program
def test_a_program_runs_in_this_process(name: str) -> None:
    assert module_of(name).main() == SAID[name]


@pytest.mark.celery
@every_program
def test_a_program_runs_on_workers(name: str, backend: CeleryBackend) -> None:
    assert module_of(name).main(on(backend, name)) == SAID[name]


@pytest.mark.filterwarnings("ignore:.*langchain.agents:DeprecationWarning")  # moved there
@every_program
def test_a_program_is_one_of_langgraph_but_for_its_imports(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(str(module_of(name).__file__)).read_text()
    module = ModuleType(f"{name}_of_langgraph")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where hints of types are looked up
    exec(compile(source.replace("from distgraph", "from langgraph"), name, "exec"), vars(module))
    assert module.main() == SAID[name]
