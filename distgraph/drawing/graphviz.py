"""Pictures made by Graphviz: of the package pygraphviz, which brings it, or the program ``dot``."""

from __future__ import annotations

import shutil
import subprocess

from distgraph.drawing.parts import PictureFormat
from distgraph.errors import CannotDraw

LONGEST_LAYOUT = 60
"""Seconds that ``dot`` may take."""


def laid_out(dot: str, form: PictureFormat) -> bytes:
    """Return the picture of a digraph; CannotDraw without a Graphviz that can make it."""
    try:
        import pygraphviz  # noqa: PLC0415 an optional extra
    except ImportError:
        return _by_program(dot, form)
    try:
        drawn: bytes = pygraphviz.AGraph(string=dot).draw(format=form, prog="dot")
    except (ValueError, OSError) as wrong:
        raise CannotDraw(f"Graphviz did not draw the graph: {wrong}.") from wrong
    return drawn


def _by_program(dot: str, form: PictureFormat) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise CannotDraw(
            f"{form.upper()} is made by Graphviz, which is not here: pip install "
            "'distgraph[drawing]', or install Graphviz so that its program `dot` is on PATH. "
            "draw_mermaid() needs neither."
        )
    try:
        ended = subprocess.run(  # noqa: S603 what PATH names
            [program, f"-T{form}"],
            input=dot.encode(),
            capture_output=True,
            check=True,
            timeout=LONGEST_LAYOUT,
        )
    except subprocess.CalledProcessError as failed:
        said = failed.stderr.decode(errors="replace").strip()
        raise CannotDraw(f"{program} did not draw the graph: {said or failed}.") from failed
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise CannotDraw(f"{program} did not draw the graph: {failed}.") from failed
    return ended.stdout
