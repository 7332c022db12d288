"""The command as a whole."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from workers.cli.program import program


def test_it_tells_its_version() -> None:
    told = CliRunner().invoke(program(), ["--version"])
    assert (told.exit_code, told.output.strip()) == (0, f"distgraph {version('distgraph')}")
