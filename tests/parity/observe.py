"""What can be seen of a run, as plain values that two engines can be compared by."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.parity.engines import SCOPE, Client

Config = dict[str, Any]
FINER = {"NothingToContinue": "EmptyInputError", "NoParentGraph": "ParentCommand"}
"""What distgraph raises in place of the reference's class, of which it is a subclass."""


def thread(name: str = "t", **extra: Any) -> Config:
    """A config on thread `name`; `extra` goes beside "configurable"."""
    return {"configurable": {"thread_id": name}, **extra}


def shown(value: Any) -> Any:
    """`value` without what differs on purpose or by chance: interrupt ids, class identities."""
    if isinstance(value, Mapping):
        return {str(key): _shown_entry(key, item) for key, item in value.items()}
    # Interrupt ids belong to the question and so differ from the reference's, which belong to
    # the task; only the question is compared.
    if type(value).__name__ == "Interrupt":
        return {"interrupt": shown(value.value)}
    if type(value).__name__ == "Send":
        return {"send": value.node, "arg": shown(value.arg)}
    if isinstance(value, list | tuple):
        return type(value)(shown(item) for item in value) if _is_plain(value) else repr(value)
    if isinstance(value, BaseException):
        return error(value)
    return _shown_object(value)


def _is_plain(value: Any) -> bool:
    return type(value) in (list, tuple)


def _shown_entry(key: Any, item: Any) -> Any:
    return _shown_questions(item)["__interrupt__"] if key == "__interrupt__" else shown(item)


def _shown_questions(asked: Any) -> dict[str, Any]:
    """Questions of one superstep, which are listed as their tasks finish: that is chance."""
    return {"__interrupt__": type(asked)(sorted((shown(one) for one in asked), key=repr))}


def _shown_object(value: Any) -> Any:
    if type(value).__name__ == "Overwrite":
        return {"overwrite": shown(value.value)}
    if type(value).__name__ == "GraphOutput":
        return {"value": shown(value.value), **_shown_questions(value.interrupts)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"dataclass": shown(dataclasses.asdict(value))}
    if hasattr(value, "model_dump"):
        return {"model": shown(value.model_dump())}
    return value


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Text:
    """The text of an error, equal to one that says the same and more.

    distgraph keeps the reference's sentence and may say beside it where and what to do.
    """

    whole: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        mine, theirs = self._words(), other._words()
        return mine.partition(". ")[0] in theirs or theirs.partition(". ")[0] in mine

    __hash__ = None  # type: ignore[assignment]

    def _words(self) -> str:
        # How names are quoted is not compared, nor what was got, which ours only tells the kind
        # of, nor the id of a thread; further lines are links to pages.
        first = re.sub(", got .*", ", got", (self.whole.splitlines() or [""])[0])
        first = re.sub("thread '[^']*'", "thread", first)
        return first.translate(str.maketrans("", "", "`'\"")).removesuffix(".")


def error(exc: BaseException) -> tuple[str, Text]:
    """Type and text."""
    name = type(exc).__name__
    return FINER.get(name, name), Text(str(exc))


def outcome(call: Callable[[], Any]) -> Any:
    """What `call` gave, or `{"error": (type, message)}`."""
    try:
        return shown(call())
    except Exception as exc:  # noqa: BLE001 - whatever is raised is what is compared
        return {"error": error(exc)}


def invoked(client: Client, given: Any, config: Config | None = None, **options: Any) -> Any:
    """The outcome of a run on `config`, by default on the thread that `thread()` names."""
    return outcome(lambda: client.invoke(given, config or thread(), **options))


def kind(call: Callable[[], Any]) -> Any:
    """As `outcome`, but of an error the type alone: where distgraph's text says more on purpose."""
    seen = outcome(call)
    return {"error": seen["error"][0]} if isinstance(seen, dict) and "error" in seen else seen


def state(snapshot: Any) -> dict[str, Any]:
    """Values, next, metadata, tasks, and how many interrupts (each stands with its task)."""
    metadata = snapshot.metadata or {}
    return {
        "values": shown(snapshot.values),
        "next": following(snapshot),
        "source": metadata.get("source"),
        "step": metadata.get("step"),
        "tasks": [task(one) for one in listed(snapshot)],
        "interrupts": len(snapshot.interrupts),
    }


def listed(snapshot: Any) -> list[Any]:
    """The tasks: those that were sent in their order, then nodes by name.

    Where the reference no longer knows which channels were updated it lists nodes as they were
    defined, distgraph always by name.
    """
    return sorted(snapshot.tasks, key=lambda one: "" if _is_sent(one) else one.name)


def following(snapshot: Any) -> tuple[str, ...]:
    """What is next, in the order of `listed`."""
    names = [one.name for one in listed(snapshot)]
    return tuple(sorted(snapshot.next, key=names.index))


def _is_sent(one: Any) -> bool:
    return bool(one.path[0] == "__pregel_push")


def task(one: Any) -> dict[str, Any]:
    """Name, result and interrupts of a task; those of graphs inside it are asked in any order."""
    return {"name": one.name, "result": shown(one.result), "interrupts": _asked(one)}


def _asked(one: Any) -> tuple[Any, ...]:
    return tuple(sorted(shown(one.interrupts), key=repr))


def history(snapshots: Iterable[Any]) -> list[dict[str, Any]]:
    """Each checkpoint, newest first, with its parent as an index into the same list."""
    found = list(snapshots)
    places = {checkpoint_id(one.config): place for place, one in enumerate(found)}
    return [_checkpoint(one, places) for one in found]


def _checkpoint(one: Any, places: dict[str, int]) -> dict[str, Any]:
    parent = one.parent_config and places.get(checkpoint_id(one.parent_config))
    return {
        "values": shown(one.values),
        "next": following(one),
        "source": one.metadata["source"],
        "step": one.metadata["step"],
        "parent": parent,
        "results": [(each.name, shown(each.result)) for each in listed(one)],
        "asked": [(each.name, _asked(each)) for each in listed(one)],
    }


def checkpoint_id(config: Config) -> str:
    """The checkpoint that `config` points to."""
    return str(config["configurable"]["checkpoint_id"])


def everything(client: Client, config: Config) -> dict[str, Any]:
    """The state and the history of a thread."""
    return {
        "state": outcome(lambda: state(client.get_state(config))),
        "history": outcome(lambda: history(client.history(config))),
    }


def waiting(snapshot: Any) -> list[Any]:
    """The interrupts that still wait for an answer, in task order, those of a task by value."""
    open_ = [each for each in listed(snapshot) if each.result is None]
    return [one for each in open_ for one in sorted(each.interrupts, key=lambda q: repr(q.value))]


def steps_sorted(chunks: Iterable[Any]) -> list[Any]:
    """Chunks with every run of neighbours that may come in any order put in one order.

    Tasks of a superstep finish in any order; "values" chunks close a superstep.
    """
    ordered: list[Any] = []
    pending: list[Any] = []
    for mode, chunk in chunks:
        if mode == "values":
            ordered += [*sorted(pending, key=repr), (mode, shown(chunk))]
            pending = []
        else:
            pending.append((mode, shown(chunk)))
    return [*ordered, *sorted(pending, key=repr)]


def stored(seen: Any) -> Any:
    """`seen` without what a backend stores otherwise on purpose: compare both sides by this.

    The ids of threads carry a scope here, because graphs share the store.
    """
    if isinstance(seen, dict):
        return {key: stored(item) for key, item in seen.items()}
    if isinstance(seen, list | tuple) and _is_plain(seen):
        return type(seen)(stored(item) for item in seen)
    return _SCOPED.sub("", seen) if isinstance(seen, str) else seen


_SCOPED = re.compile(rf"\b{SCOPE}[0-9a-f]{{12}}/")
