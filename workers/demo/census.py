"""The graph of the demonstration: list, parse every file in a worker, reduce, ask, publish."""

from __future__ import annotations

import operator
import platform
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import Send, interrupt

from .parse import Parsed, parse_source
from .ranking import Summary, summarise
from .report import Report, Unreadable, write_report
from .sources import (
    UnreadableError,
    list_sources,
    printable,
    read_source,
    standard_library,
)

YES = frozenset({"y", "yes", "true"})
NO = frozenset({"n", "no", "false"})


class Census(TypedDict, total=False):
    """The state: the folder counted, where to publish, and what each step has found."""

    root: str
    out: str
    python: str
    paths: list[str]
    files: Annotated[list[Parsed], operator.add]
    unreadable: Annotated[list[Unreadable], operator.add]
    summary: Summary
    approved: bool
    published: list[str]


class OneFile(TypedDict):
    """What the parsing of one file is sent: the root and the file's path relative to it."""

    root: str
    path: str


def build() -> StateGraph[Any]:
    """Return the census as a graph yet to be compiled."""
    builder = StateGraph(Census)
    builder.add_node("plan", plan)
    builder.add_node("parse", parse)
    builder.add_node("summarise", reduce_files)
    builder.add_node("approve", approve)
    builder.add_node("publish", publish)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", send_each_file, ["parse", "summarise"])
    builder.add_edge("parse", "summarise")
    builder.add_edge("summarise", "approve")
    builder.add_conditional_edges("approve", publish_or_end, ["publish", END])
    builder.add_edge("publish", END)
    return builder


def request(out: Path, folder: Path | None = None) -> Census:
    """Return the input of a census of `folder` (the standard library unless given) into `out`.

    Both become absolute, because a worker may run in another folder. Raises NotADirectoryError
    if there is no such folder.
    """
    root = (folder or standard_library()).resolve()
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is not a folder; name one that holds Python source")
    return Census(root=str(root), out=str(out.resolve()))


def plan(state: Census) -> Census:
    """List the files to parse, and note which Python's grammar judges them."""
    listing = list_sources(Path(state["root"]))
    return Census(
        python=platform.python_version(),
        paths=list(listing.paths),
        unreadable=[Unreadable(path=item.path, reason=item.reason) for item in listing.unlisted],
    )


def send_each_file(state: Census) -> list[Send] | Literal["summarise"]:
    """Send each file to a parser of its own; a folder without Python goes straight on."""
    sends = [Send("parse", OneFile(root=state["root"], path=path)) for path in state["paths"]]
    return sends or "summarise"


def parse(file: OneFile) -> Census:
    """Count one file; one that cannot be read or parsed is named with the reason instead."""
    try:
        source = read_source(Path(file["root"], file["path"]))
        return Census(files=[parse_source(file["path"], source)])
    except (UnreadableError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Census(unreadable=[Unreadable(path=file["path"], reason=reason_of(error))])


def reason_of(error: Exception) -> str:
    """Say in one short printable line why a file was not counted."""
    match error:
        case SyntaxError(msg=str(message), lineno=int(line)) if line > 0:
            text = f"{message} (line {line})"
        case SyntaxError(msg=str(message)):
            text = message
        case _:
            text = str(error) or type(error).__name__
    return printable(" ".join(text.split())[:200])


def reduce_files(state: Census) -> Census:
    """Reduce the counts of all files to totals and rankings."""
    files, unreadable = state.get("files", []), state.get("unreadable", [])
    return Census(summary=summarise(files, len(unreadable)))


def approve(state: Census) -> Census:
    """Ask whether to publish, again and again until the answer is a yes or a no."""
    question = {
        "question": f"Publish this census into {state['out']}?",
        "root": state["root"],
        "out": state["out"],
        **state["summary"],
    }
    answer = interrupt(question)
    while (approved := read_answer(answer)) is None:
        problem = f"{answer!r} is neither yes nor no"
        answer = interrupt({**question, "problem": problem})
    return Census(approved=approved)


def read_answer(answer: object) -> bool | None:
    """Read true, false, "yes" or "no" (or "y", "n", any case); None means neither."""
    if isinstance(answer, bool):
        return answer
    word = answer.strip().lower() if isinstance(answer, str) else ""
    return True if word in YES else False if word in NO else None


def publish_or_end(state: Census) -> str:
    """Publish what was approved; a refused census ends here."""
    return "publish" if state["approved"] else END


def publish(state: Census) -> Census:
    """Write the report; the same state always gives the same two files.

    Raises OSError that names the folder.
    """
    report = Report(
        root=state["root"],
        python=state["python"],
        totals=state["summary"]["totals"],
        rankings=state["summary"]["rankings"],
        unreadable=sorted(state.get("unreadable", []), key=lambda item: item["path"]),
    )
    try:
        return Census(published=write_report(Path(state["out"]), report))
    except OSError as error:
        raise OSError(f"The report cannot be written into {state['out']}: {error}") from error
