"""docker-compose.yml is well formed and keeps what it promises."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.processes import ROOT


def _closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _map_of(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "patternProperties": {"^[a-zA-Z0-9._-]+$": value}} | {
        "additionalProperties": False
    }


TEXT = {"type": "string", "minLength": 1}
DURATION = {"type": "string", "pattern": "^([0-9]+(us|ms|s|m|h))+$"}
ARGV = {"type": "array", "items": TEXT, "minItems": 1}
CHECK = {
    "type": "array",
    "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}],
    "items": TEXT,
    "minItems": 2,
}
HEALTH = _closed(
    ("test",),
    test=CHECK,
    interval=DURATION,
    timeout=DURATION,
    start_period=DURATION,
    retries={"type": "integer", "minimum": 1},
)
CONDITION = {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
SERVICE = _closed(
    image=TEXT,
    build=TEXT,
    command=ARGV,
    environment=_map_of(TEXT),
    user={"type": "string", "pattern": "^[0-9]+:[0-9]+$"},
    init={"type": "boolean"},
    read_only={"type": "boolean"},
    tmpfs={"type": "array", "items": {"type": "string", "pattern": "^/[a-z]+$"}},
    volumes={"type": "array", "items": {"type": "string", "pattern": "^[a-z-]+:/[a-z]+$"}},
    depends_on=_map_of(_closed(("condition",), condition=CONDITION)),
    healthcheck=HEALTH,
    restart={"enum": ["no", "always", "on-failure", "unless-stopped"]},
    stop_signal={"type": "string", "pattern": "^SIG[A-Z]+$"},
    stop_grace_period=DURATION,
) | {"oneOf": [{"required": ["image"]}, {"required": ["build"]}]}
# The part of the Compose specification that the file uses, and nothing beside it.
COMPOSE = _closed(("services",), services=_map_of(SERVICE), volumes=_map_of(_closed()))


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture
def dockerfile() -> list[str]:
    return (ROOT / "Dockerfile").read_text().splitlines()


def test_the_file_follows_the_compose_specification(compose: Any) -> None:
    jsonschema.Draft202012Validator(COMPOSE).validate(compose)


def test_a_misspelt_setting_would_be_noticed(compose: Any) -> None:
    compose["services"]["worker"]["stop_grace"] = "60s"
    with pytest.raises(jsonschema.ValidationError, match="stop_grace"):
        jsonschema.Draft202012Validator(COMPOSE).validate(compose)


def test_every_volume_and_dependency_named_exists(compose: Any) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        named = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert named <= set(compose["volumes"])


@pytest.mark.parametrize(
    ("option", "value"),
    [("--appendonly", "yes"), ("--appendfsync", "everysec"), ("--maxmemory-policy", "noeviction")],
)
def test_redis_keeps_what_it_was_given(compose: Any, option: str, value: str) -> None:
    command = compose["services"]["redis"]["command"]
    assert command[command.index(option) + 1] == value


def test_redis_data_outlives_its_container(compose: Any) -> None:
    assert "redis-data:/data" in compose["services"]["redis"]["volumes"]


def test_every_service_says_whether_it_is_well(compose: Any) -> None:
    assert all(service["healthcheck"]["test"] for service in compose["services"].values())


def test_a_worker_looks_at_itself_alone(compose: Any, dockerfile: list[str]) -> None:
    worker = compose["services"]["worker"]
    name = worker["command"][worker["command"].index("--hostname") + 1]
    assert worker["healthcheck"]["test"] == ["CMD", "distgraph", "doctor", "--worker", name]
    checks = [line for line in dockerfile if '"doctor"' in line]
    assert [name in line for line in checks] == [True]
    assert name in dockerfile[-1]


def test_a_root_that_cannot_be_written_to_has_a_folder_for_temporary_files(compose: Any) -> None:
    worker = compose["services"]["worker"]
    assert worker["read_only"]
    assert worker["tmpfs"] == ["/tmp"]


def test_workers_wait_for_a_healthy_redis(compose: Any) -> None:
    worker = compose["services"]["worker"]
    assert worker["depends_on"]["redis"]["condition"] == "service_healthy"
    assert worker["environment"]["DISTGRAPH_REDIS"].startswith("redis://redis:6379")


def test_workers_scale(compose: Any) -> None:
    """Name and ports of the host can be taken once only."""
    assert not {"container_name", "hostname", "ports"} & set(compose["services"]["worker"])


def test_workers_do_not_run_as_root(compose: Any, dockerfile: list[str]) -> None:
    uid = compose["services"]["worker"]["user"].split(":")[0]
    assert uid != "0"
    assert any(line.startswith("RUN useradd") and f"--uid {uid}" in line for line in dockerfile)
    assert "USER distgraph" in dockerfile


def test_workers_stop_gracefully(compose: Any) -> None:
    worker = compose["services"]["worker"]
    assert worker["stop_signal"] == "SIGTERM"
    assert int(worker["stop_grace_period"].removesuffix("s")) > 10
    assert worker["init"]


def test_the_image_holds_every_package_of_the_wheel(dockerfile: list[str]) -> None:
    for package in ("distgraph", "workers", "checkpoint_redis"):
        assert f"COPY {package} {package}" in dockerfile
