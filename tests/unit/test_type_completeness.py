"""Type checkers of users know the types of what the packages offer, without inferring them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

ENOUGH = 0.98
BESIDE = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
"""A path on which pyright finds this Python first, and with it the libraries."""


@pytest.mark.parametrize("package", ["distgraph", "workers", "checkpoint_redis"])
def test_the_types_of_a_package_are_known(package: str) -> None:
    call = ["basedpyright", "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    ended = subprocess.run(
        [sys.executable, "-m", *call],
        cwd=ROOT,
        env={**os.environ, "PATH": BESIDE},
        capture_output=True,
        check=False,
        text=True,
    )
    found = json.loads(ended.stdout)["typeCompleteness"]
    unknown = [each["name"] for each in found["symbols"] if not each["isTypeKnown"]]
    assert found["symbols"], ended.stderr
    assert found["completenessScore"] > ENOUGH, unknown
