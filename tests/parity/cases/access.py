"""Reading, changing and replaying what a thread has stored."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.parity.cases.common import add, chain, compiled_chain, fan
from tests.parity.cases.interrupts import asking
from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, history, invoked, outcome, shown, state, thread


def at(client: Client, step: int, config: Any = None) -> Any:
    """The config of the newest checkpoint with `step`."""
    found = client.history(config or thread())
    return next(one.config for one in found if one.metadata["step"] == step)


def case_the_state_of_an_unknown_thread(engine: Engine) -> Any:
    snapshot = compiled_chain(engine, "a").get_state(thread())
    return [state(snapshot), snapshot.metadata, snapshot.created_at, snapshot.parent_config]


def case_the_state_at_each_checkpoint(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c")
    client.invoke({"xs": ["in"]}, thread())
    return [state(client.get_state(at(client, step))) for step in (-1, 0, 1, 2, 3)]


def case_history_may_be_filtered_and_limited(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b")
    for name in ("1", "2"):
        client.invoke({"xs": [name]}, thread())
    return [
        history(client.history(thread(), limit=2)),
        history(client.history(thread(), filter={"source": "input"})),
        history(client.history(thread(), before=at(client, 1))),
        history(client.history(thread(), filter={"step": 2}, limit=1)),
    ]


def case_an_update_on_a_fresh_thread(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b")
    client.update_state(thread(), {"xs": ["upd"]})
    seen = everything(client, thread())
    return [seen, invoked(client, None), everything(client, thread())]


def case_an_update_on_a_finished_thread(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b")
    client.invoke({}, thread())
    client.update_state(thread(), {"xs": ["upd"], "one": 1})
    seen = everything(client, thread())
    return [seen, invoked(client, None), everything(client, thread())]


def case_an_update_as_a_node_fires_its_edges(engine: Engine) -> Any:
    results = []
    for values, as_node in (
        ({"xs": ["u"]}, "a"),
        ({"xs": ["u"]}, "b"),
        (None, "a"),
        (None, "__end__"),
        ({"xs": ["u"]}, "nowhere"),
    ):
        client = compiled_chain(engine, "a", "b", "c")
        client.invoke({}, thread())
        # The config of the new checkpoint is compared by what the history shows.
        seen = outcome(partial(client.update_state, thread(), values, as_node))
        results.append(["error" in seen and seen, everything(client, thread())])
    return results


def case_an_update_as_the_source_of_a_conditional_edge(engine: Engine) -> Any:
    results = []
    for mark in ("b", "c"):
        builder = chain(engine, "a").add_node("b", add("b")).add_node("c", add("c"))
        builder.add_conditional_edges("a", lambda state: state["xs"][-1] if state["xs"] else "b")
        client = engine.compile(builder)
        client.update_state(thread(), {"xs": [mark]}, as_node="a")
        seen = everything(client, thread())
        results.append([seen, invoked(client, None)])
    return results


def case_updates_as_the_sources_of_a_join(engine: Engine) -> Any:
    builder = fan(engine, a=add("a"), b=add("b")).add_node("d", add("d"))
    client = engine.compile(builder.add_edge(["a", "b"], "d"))
    seen = []
    for name in ("a", "b"):
        client.update_state(thread(), {"xs": [name]}, as_node=name)
        seen.append(everything(client, thread()))
    return [seen, invoked(client, None)]


def case_an_update_after_parallel_nodes_is_ambiguous(engine: Engine) -> Any:
    client = engine.compile(fan(engine, a=add("a"), b=add("b")))
    client.invoke({}, thread())
    return outcome(lambda: client.update_state(thread(), {"xs": ["u"]}))


def case_an_update_may_be_a_command(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c")
    client.invoke({}, thread())
    client.update_state(thread(), engine.Command(update={"xs": ["u"]}, goto="c"), as_node="a")
    return everything(client, thread())


def case_replaying_an_older_checkpoint_forks(engine: Engine) -> Any:
    results = []
    for step in (-1, 0, 1, 2, 3):
        client = compiled_chain(engine, "a", "b", "c")
        client.invoke({"xs": ["in"]}, thread())
        old = at(client, step)
        seen = [invoked(client, None, old) for _ in range(2)]
        results.append([seen, everything(client, thread())])
    return results


def case_a_fork_by_an_update_of_an_older_checkpoint(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c")
    client.invoke({"xs": ["in"]}, thread())
    forked = client.update_state(at(client, 2), {"xs": ["fork"]})
    seen = everything(client, thread())
    return [seen, invoked(client, None, forked), everything(client, thread())]


def case_a_new_input_at_an_older_checkpoint(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b")
    client.invoke({"xs": ["in"]}, thread())
    old = at(client, 1)
    return [shown(client.invoke({"xs": ["new"]}, old)), everything(client, thread())]


def case_replay_asks_again(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=asking(engine, "q"))
    client.invoke({}, thread())
    client.invoke(engine.Command(resume="first"), thread())
    old = at(client, 1)
    seen = [invoked(client, None, old), everything(client, thread())]
    answered = invoked(client, engine.Command(resume="second"))
    return [*seen, answered, everything(client, thread())]


def case_an_answer_at_the_checkpoint_that_waits(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
    client.invoke({}, thread())
    head = at(client, 1)
    seen = invoked(client, engine.Command(resume="r"), head)
    return [seen, everything(client, thread())]


def case_an_update_by_end_clears_what_is_pending(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", b=asking(engine, "q"))
    builder.add_node("c", add("c")).add_edge("a", "c")
    client = engine.compile(builder)
    client.invoke({}, thread())
    client.update_state(thread(), None, as_node="__end__")
    return [everything(client, thread()), invoked(client, None)]


def case_an_update_beside_a_finished_sibling(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", b=asking(engine, "q"))
    builder.add_node("c", add("c")).add_edge("a", "c")
    client = engine.compile(builder)
    client.invoke({}, thread())
    client.update_state(thread(), {"xs": ["u"]}, as_node="b")
    return [everything(client, thread()), invoked(client, None)]


def case_updates_without_a_node_speak_for_the_last_that_ran(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c")
    client.invoke({}, thread())
    client.update_state(thread(), {"xs": ["u"]}, as_node="a")
    client.update_state(thread(), {"xs": ["v"]})
    return [everything(client, thread()), invoked(client, None)]


def case_updates_without_a_node_on_a_fresh_thread_speak_for_the_start(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    client.update_state(thread(), {"xs": ["u"]})
    client.update_state(thread(), {"xs": ["v"]})
    return [everything(client, thread()), invoked(client, None)]


def case_an_update_without_a_node_does_not_speak_for_one_that_was_sent_to(engine: Engine) -> Any:
    builder = chain(engine, "a", "b").add_node("w", add("w"))
    builder.add_conditional_edges("b", lambda _: [engine.Send("w", {})])
    client = engine.compile(builder)
    client.invoke({}, thread())
    client.update_state(thread(), {"xs": ["u"]})
    return [everything(client, thread()), invoked(client, None)]


def case_an_update_by_end_keeps_what_has_come_into_a_join(engine: Engine) -> Any:
    builder = chain(engine, "a", "b").add_node("j", add("j")).add_edge(["a", "b"], "j")
    client = engine.compile(builder, interrupt_before=["b"])
    client.invoke({}, thread())
    client.update_state(thread(), None, as_node="__end__")
    client.update_state(thread(), {"xs": ["u"]}, as_node="b")
    return [everything(client, thread()), invoked(client, None)]


def case_an_update_while_packets_of_the_same_node_wait(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        if isinstance(state, dict):
            packets = [engine.Send("a", 1), engine.Send("a", 2)]
            return engine.Command(update={"xs": ["a"]}, goto=packets)
        return {"xs": [engine.interrupt(state)]}

    client = compiled_chain(engine, "a", a=node)
    client.invoke({}, thread())
    client.update_state(thread(), {"xs": ["u"]})
    return everything(client, thread())


def case_updates_onto_a_copy_of_a_checkpoint(engine: Engine) -> Any:
    results = []
    for step, updates in (
        (-1, [({"xs": ["other"]}, "__start__")]),
        (0, [({"xs": ["A"]}, "a")]),
        (1, [({"xs": ["B"]}, "b"), ({"xs": ["C"]}, "c")]),
    ):
        client = compiled_chain(engine, "a", "b", "c")
        client.invoke({"xs": ["in"]}, thread())
        copied = client.update_state(at(client, step), updates, as_node="__copy__")
        seen = everything(client, thread())
        results.append([seen, invoked(client, None, copied), everything(client, thread())])
    return results


def case_updates_onto_a_copy_speak_for_the_packets_of_a_node(engine: Engine) -> Any:
    builder = chain(engine, "a", "b")
    builder.add_conditional_edges("a", lambda _: [engine.Send("b", {}), engine.Send("b", {})])
    client = engine.compile(builder)
    client.invoke({}, thread())
    updates = [({"xs": ["u"]}, "b"), ({"xs": ["v"]}, "b")]
    copied = client.update_state(at(client, 1), updates, as_node="__copy__")
    return [invoked(client, None, copied), everything(client, thread())]


def case_an_update_of_an_input_by_the_start(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    client.update_state(thread(), {}, as_node="__input__")
    client.update_state(thread(), {"xs": ["u"]}, as_node="__start__")
    client.update_state(thread(), {"xs": ["v"]}, as_node="a")
    return everything(client, thread())


def case_an_update_that_was_moved_past_is_forked(engine: Engine) -> Any:
    results = []
    for asks in (False, True):
        nodes = {"b": asking(engine, "q")} if asks else {}
        client = compiled_chain(engine, "a", "b", "c", **nodes)
        client.invoke({"xs": ["in"]}, thread())
        old = at(client, 1)
        first, _ = [client.update_state(old, {"xs": [name]}) for name in ("u", "v")]
        seen = [invoked(client, None, first) for _ in range(2)]
        answered = [invoked(client, engine.Command(resume="r"))] if asks else []
        results.append([seen, answered, everything(client, thread())])
    return results


def case_a_fork_that_was_moved_past_is_forked(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=asking(engine, "q"))
    client.invoke({"xs": ["in"]}, thread())
    seen = [invoked(client, None, at(client, 1)), invoked(client, engine.Command(resume="r"))]
    seen.append(invoked(client, None, at(client, 2)))
    return [seen, everything(client, thread()), invoked(client, engine.Command(resume="s"))]


def case_a_command_that_answers_nothing_forks_an_older_checkpoint(engine: Engine) -> Any:
    update, goto = {"xs": ["u"]}, engine.Command(goto="c", update={"xs": ["w"]})
    seen: list[Any] = []
    for number, answers in enumerate((["r"], [])):
        client = compiled_chain(engine, "a", "b", "c", b=asking(engine, "q"))
        place = thread(str(number))
        client.invoke({"xs": ["in"]}, place)
        seen += [invoked(client, engine.Command(resume=answer), place) for answer in answers]
        told = client.stream(
            engine.Command(update=update),
            at(client, 1, place),
            stream_mode=["values", "updates"],
        )
        seen += [shown(told), everything(client, place)]
        seen += [invoked(client, each, at(client, 1, place)) for each in (goto, None)]
        seen.append(invoked(client, engine.Command(resume="s"), place))
    return seen


def case_a_command_on_an_update_that_is_the_newest(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=asking(engine, "q"))
    client.invoke({"xs": ["in"]}, thread())
    newest = client.update_state(thread(), {"xs": ["u"]})
    seen = [invoked(client, engine.Command(update={"xs": ["v"]}), newest)]
    return [*seen, everything(client, thread())]
