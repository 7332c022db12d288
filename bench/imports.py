"""How long a fresh interpreter takes to import a library; standard library alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from bench.serve import Timed, timed


def run_import(module: str) -> Callable[[int], Timed]:
    """Return the workload that imports ``module`` ``size`` times; the result: how often it did."""

    def once() -> bool:
        return (
            subprocess.run([sys.executable, "-c", f"import {module}"], check=False).returncode == 0
        )

    return lambda size: timed(lambda: sum(once() for _ in range(size)))
