"""``python -m tests.model``: explores scenarios or mutants; ends with 1 if one surprises."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from tests.model.explore import Explored, explore
from tests.model.scenarios import HOLDS, MUTANTS
from tests.model.state import Scenario


def main(
    only: Annotated[str, typer.Option(help="Only scenarios whose name contains this.")] = "",
    *,
    mutants: Annotated[bool, typer.Option(help="Take each safeguard out: each must fail.")] = False,
    strict: Annotated[bool, typer.Option(help="Only the present attempt may complete.")] = False,
    paths: Annotated[bool, typer.Option(help="Print what leads to a fault.")] = False,
) -> None:
    """Search through every interleaving of small systems."""
    chosen = mutated() if mutants else HOLDS
    surprises = 0
    for name, scenario in chosen.items():
        if only in name:
            found = explore(replace(scenario, strict=strict))
            surprises += bool(found.fault) is not mutants
            _tell(name, found, paths=paths)
    raise SystemExit(1 if surprises else 0)


def mutated() -> dict[str, Scenario]:
    """Return the scenarios of the mutants, each without its safeguard."""
    return {
        name: replace(scenario, without=name.partition(",")[0])
        for name, scenario in MUTANTS.items()
    }


def _tell(name: str, found: Explored, *, paths: bool) -> None:
    told = found.fault or "holds"
    typer.echo(f"{name:36} {found.states:>11,} {found.transitions:>12,}  {told}")
    for number, label in enumerate(found.path if paths else (), 1):
        typer.echo(f"    {number:2}. {label}")


if __name__ == "__main__":
    typer.run(main)
