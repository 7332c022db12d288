"""The parent's end of a side: a child process that is asked one measurement at a time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]


class ChildSide:
    """Runs ``module`` with ``python`` in ``root``; a context manager that ends it."""

    def __init__(
        self, root: Path, python: str, module: str, env: Mapping[str, str], log: Path
    ) -> None:
        self._log = log.open("ab")
        self._child = subprocess.Popen(
            [python, "-m", module],
            cwd=root,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.name = f"{module} ({python})"
        self._file = log

    def measure(self, workload: str, size: int) -> tuple[float, Any]:
        """Return seconds and the result; raises RuntimeError with what the child said."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps({"workload": workload, "size": size}) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._file.read_text()}
        if "error" in answer:
            raise RuntimeError(f"{self.name}, '{workload}':\n{answer['error']}")
        return answer["seconds"], answer["result"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()
