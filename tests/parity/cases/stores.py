"""What nodes put into a store, and find there in other threads."""

from __future__ import annotations

from typing import Any

from tests.parity.cases.common import chain, fan
from tests.parity.engines import Engine
from tests.parity.observe import shown, thread

VISITS = ("visits", "by-name")


def case_a_node_and_a_graph_inside_remember_across_threads(engine: Engine) -> Any:
    def visit(state: Any) -> Any:
        store, name = engine.get_store(), state["one"]
        before = store.get(VISITS, name)
        number = before.value["number"] + 1 if before else 1
        store.put(VISITS, name, {"number": number})
        return {"xs": [number]}

    store = engine.store()
    for item in store.search(VISITS):  # of an earlier run of this case
        store.delete(item.namespace, item.key)
    builder = chain(
        engine, "outside", "around", outside=visit, around=fan(engine, in_=visit).compile()
    )
    client = engine.compile(builder, store=store)
    runs = ("1", "ada"), ("2", "ada"), ("3", "bob")
    found = [shown(client.invoke({"one": name}, thread(number))) for number, name in runs]
    return found, [[item.key, item.value] for item in store.search(VISITS)]
