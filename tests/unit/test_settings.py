"""What cannot work is refused when the backend is made, in words that show no password."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from pydantic import ValidationError

from workers import CeleryBackend

GOOD = (
    {"redis": "redis://localhost:6379/1?socket_timeout=5"},
    {"redis": "rediss://user:pass@host/0"},
    {"redis": "unix:///tmp/redis.sock?db=1"},
    {"broker": "amqp://guest@host//"},
    {"redis": "valkey://host"},
    {"broker": "sentinel://a:26379;sentinel://b:26379", "broker_options": {"master_name": "m"}},
    {"broker": "sentinel://a:26379,b:26379/mymaster/0"},
    {"broker": "redis+socket:///tmp/redis.sock"},
    {"broker": "memory://"},
)


@pytest.mark.parametrize("settings", GOOD, ids=lambda settings: next(iter(settings.values())))
def test_urls_that_their_libraries_know_are_taken(settings: dict[str, Any]) -> None:
    backend = CeleryBackend(**settings)
    assert settings.items() <= backend.settings.model_dump().items()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"redis": "http://host"}, "redis://user:password@host"),
        ({"redis": "host:6379"}, "redis://user:password@host"),
        ({"redis": "redis://:se/cret@host"}, "%2F"),
        ({"broker": "rabbit://:se/cret@host"}, "amqp"),
        ({"broker": "redis://a;b"}, "rediss://"),
        ({"broker": "sentinel://a;sentinel://b"}, "master_name"),
        ({"broker": "redis://a", "broker_options": {"master": "m"}}, "master_name"),
        ({"redis": "redis://host?sockettimeout=5"}, "sockettimeout"),
        ({"lease": 1.0}, "heartbeat"),
        ({"leese": 1.0}, "leese"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CeleryBackend(**settings)
    assert says in str(refused.value)
    assert "cret" not in str(refused.value)


def test_a_cluster_needs_another_broker() -> None:
    url = "redis+cluster://a:7000"
    with pytest.raises(ValueError, match="give another one as broker"):
        CeleryBackend(url)
    assert CeleryBackend(url, broker="memory://").app.conf.broker_url == "memory://"
    app = Celery("shop", broker="memory://")
    assert CeleryBackend(url, app=app).app is app


def test_a_worker_that_is_to_end_at_once_gives_its_jobs_ten_seconds() -> None:
    assert CeleryBackend().app.conf.worker_soft_shutdown_timeout == 10


def test_options_of_the_broker_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTGRAPH_BROKER_OPTIONS", '{"visibility_timeout": 60}')
    told = CeleryBackend("redis://h?health_check_interval=7").app.conf.broker_transport_options
    assert (told["visibility_timeout"], told["health_check_interval"]) == (60, 7)
    assert told["ack_emulation"] is False


@pytest.mark.parametrize("accepted", [["pickle"], [], ["yaml", "msgpack"]])
def test_an_application_whose_workers_would_not_take_jobs_is_refused(accepted: list[str]) -> None:
    app = Celery("shop", broker="memory://", accept_content=accepted)
    with pytest.raises(ValueError, match="accept_content of the Celery application 'shop'"):
        CeleryBackend(app=app)


@pytest.mark.parametrize("broker", ["redis://:se/cret@h", "amqp://a;amqp://u:1#cret@h"])
def test_an_application_with_a_password_that_is_not_encoded_is_refused(broker: str) -> None:
    with pytest.raises(ValueError, match=r"application 'shop'.*%2F") as refused:
        CeleryBackend(app=Celery("shop", broker=broker))
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize("accepted", [["json"], ["pickle", "application/json"]])
def test_one_that_takes_json_too_is_taken(accepted: list[str]) -> None:
    app = Celery("shop", broker="memory://", accept_content=accepted)
    assert CeleryBackend(app=app).app is app
