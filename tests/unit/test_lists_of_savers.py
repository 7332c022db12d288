"""Lists that grow, in a saver of this process: each item is stored once, and goes when unused."""

from __future__ import annotations

import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from operator import add
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.graph import END, START, StateGraph

CONFIG: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 1_000}
SIZE = 4_200


class State(TypedDict):
    """A list that grows."""

    log: Annotated[list[Any], add]


def graph(saver: InMemorySaver, length: int = 1) -> Any:
    """Return a graph that appends an item per superstep until there are ``length``."""
    built = StateGraph(State)
    built.add_node("a", lambda state: {"log": [text(len(state["log"]))]})
    built.add_edge(START, "a")
    built.add_conditional_edges("a", lambda state: "a" if len(state["log"]) < length else END)
    return built.compile(checkpointer=saver)


def text(n: int) -> str:
    return f"{n:0{SIZE}d}"


def segments(saver: InMemorySaver) -> Counter[str]:
    """Return how many segments each line has."""
    versions = [key[3] for key in saver.blobs if key[2] == "log" and ";" in str(key[3])]
    return Counter(version.partition(";")[0] for version in versions)


def stored(saver: InMemorySaver) -> int:
    return sum(len(blob) for key, (_, blob) in saver.blobs.items() if key[2] == "log")


def test_each_item_is_stored_once() -> None:
    saver = InMemorySaver()
    graph(saver, 50).invoke({"log": []}, CONFIG)
    assert list(segments(saver).values()) == [50]
    assert stored(saver) < 50 * SIZE * 1.1


def written(saver: InMemorySaver) -> list[str]:
    """Return how what the tasks wrote to the list is stored."""
    of_tasks = [write for writes in saver.writes.values() for write in writes.values()]
    return [blob[0] for _, name, blob, _ in of_tasks if name == "log"]


def test_what_tasks_wrote_stands_in_the_list_alone() -> None:
    saver = InMemorySaver()
    over = graph(saver, 3)
    over.invoke({"log": [text(0)]}, CONFIG)
    assert written(saver) == ["excerpt"] * 2
    shown = [task.result for found in over.get_state_history(CONFIG) for task in found.tasks]
    assert shown == [{"log": [text(2)]}, {"log": [text(1)]}, {"log": [text(0)]}]


def test_what_two_tasks_wrote_is_found_in_what_they_appended() -> None:
    saver = InMemorySaver()
    built = StateGraph(State)
    built.add_node("a", lambda _: {"log": [text(1), text(2)]})
    built.add_node("b", lambda _: {"log": [text(3)]})
    built.add_edge(START, "a")
    built.add_edge(START, "b")
    over = built.compile(checkpointer=saver)
    over.invoke({"log": [text(0)]}, CONFIG)
    assert written(saver) == ["excerpt"] * 2
    before = list(over.get_state_history(CONFIG))[1]
    assert {task.name: task.result for task in before.tasks} == {
        "a": {"log": [text(1), text(2)]},
        "b": {"log": [text(3)]},
    }


def test_what_a_kept_task_wrote_outlives_the_list() -> None:
    saver = InMemorySaver()
    over = graph(saver, 2)
    over.invoke({"log": [text(0)]}, {**CONFIG, "metadata": {"run_id": "one"}})
    (base,) = [found for found in over.get_state_history(CONFIG) if found.metadata["step"] == 0]
    saver.storage["t"][""] = {
        cp: stored
        for cp, stored in saver.storage["t"][""].items()
        if cp <= base.config["configurable"]["checkpoint_id"]
    }
    saver._forget("t")
    (left,) = [found for found in over.get_state_history(CONFIG) if found.metadata["step"] == 0]
    assert [task.result for task in left.tasks] == [{"log": [text(1)]}]


def test_two_forks_of_one_checkpoint_have_lines_of_their_own() -> None:
    saver = InMemorySaver()
    over = graph(saver, 3)
    over.invoke({"log": []}, CONFIG)
    base = over.get_state(CONFIG).config
    left = over.update_state(base, {"log": ["left" + text(1)]}, "a")
    right = over.update_state(base, {"log": ["right" + text(1)]}, "a")
    assert over.get_state(left).values["log"][3:] == ["left" + text(1)]
    assert over.get_state(right).values["log"][3:] == ["right" + text(1)]
    assert sorted(segments(saver).values()) == [1, 4]


def test_forks_that_append_at_once_have_lines_of_their_own() -> None:
    saver = InMemorySaver()
    over = graph(saver, 3)
    over.invoke({"log": []}, CONFIG)
    base = over.get_state(CONFIG).config

    def fork(n: int) -> Any:
        return n, over.update_state(base, {"log": [text(n)]}, "a")

    with ThreadPoolExecutor(8) as pool:
        forks = list(pool.map(fork, range(100, 132)))
    found = [over.get_state(at).values["log"][3:] for _, at in forks]
    assert found == [[text(n)] for n, _ in forks]
    assert sorted(segments(saver).values()) == [*[1] * 31, 4]


def test_segments_go_with_the_last_checkpoint_that_needs_them() -> None:
    saver = InMemorySaver()
    over = graph(saver, 3)
    over.invoke({"log": []}, {**CONFIG, "metadata": {"run_id": "one"}})
    over.invoke({"log": ["more" + text(1)]}, {**CONFIG, "metadata": {"run_id": "two"}})
    assert list(segments(saver).values()) == [5]
    saver.delete_for_runs(["two"])
    assert list(segments(saver).values()) == [3]
    over.update_state(CONFIG, {"log": [text(4)]}, "a")
    saver.prune(["t"])
    assert list(segments(saver).values()) == [4]
    assert over.get_state(CONFIG).values["log"] == [text(0), text(1), text(2), text(4)]
    saver.delete_thread("t")
    assert not saver.blobs


def test_a_node_that_changes_an_old_item_is_noticed() -> None:
    saver = InMemorySaver()
    built = StateGraph(State)

    def change(state: State) -> dict[str, Any]:
        state["log"][0]["text"] = "changed"
        return {"log": [{"text": text(2)}]}

    built.add_node("a", change)
    built.add_edge(START, "a")
    over = built.compile(checkpointer=saver)
    over.invoke({"log": [{"text": text(0)}, {"text": text(1)}]}, CONFIG)
    assert over.get_state(CONFIG).values["log"] == [
        {"text": "changed"},
        {"text": text(1)},
        {"text": text(2)},
    ]
    assert sorted(segments(saver).values()) == [1, 1]


def test_a_thousand_messages_in_a_file_take_three_times_their_bytes(tmp_path: Path) -> None:
    built = StateGraph(State)
    built.add_node("a", lambda state: {"log": [f"{len(state['log']):01000d}"]})
    built.add_edge(START, "a")
    built.add_conditional_edges("a", lambda state: "a" if len(state["log"]) < 1_000 else END)
    file = tmp_path / "threads.db"
    with SqliteSaver.from_conn_string(str(file)) as saver:
        built.compile(checkpointer=saver).invoke({"log": []}, {**CONFIG, "recursion_limit": 1_001})
    assert file.stat().st_size <= 3_000_000


class Pickled:
    """A serializer of somebody else's."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return "pickle", pickle.dumps(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return pickle.loads(data[1])


def test_with_somebody_elses_serializer_lists_are_stored_whole() -> None:
    saver = InMemorySaver(serde=Pickled())
    over = graph(saver, 3)
    over.invoke({"log": []}, CONFIG)
    assert not segments(saver)
    assert over.get_state(CONFIG).values["log"] == [text(0), text(1), text(2)]


def test_a_list_over_the_limit_is_named() -> None:
    saver = InMemorySaver(serde=JsonPlusSerializer(max_bytes=5 * SIZE))
    over = graph(saver, 9)
    with pytest.raises(Exception, match="State key 'log'"):
        over.invoke({"log": []}, CONFIG)
    assert over.get_state(CONFIG).values["log"] == [text(n) for n in range(5)]
