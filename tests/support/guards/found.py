"""Guards of lists: where a thread is found, in which order, and where a page goes on."""

from __future__ import annotations

from typing import Any

from checkpoint_redis import about, commands, keys
from checkpoint_redis.about import Sought
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import HeaderField, Limit
from checkpoint_redis.readings import Listed
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep

GRAPH, OTHER = about.by_graph("graph"), about.by_graph("other")
MARK = about.by_mark(about.mark("tenant", "a"))


def start(d: Driver, run: str = "run", graph: str = "graph", expect: str = "", **of: Any) -> None:
    """Start a run that ends at once, on a thread whose metadata are ``of``."""
    call = commands.start(
        d.thread, run, superstep(f"cp-{run}", outcome="end"), expect=expect, graph=graph, fp="1",
        queue="queue", about=about.encode(of), marks=about.marks(of, ("tenant",)),
    )  # fmt: skip
    assert d.ledger.call(call).status == "end"


def page(d: Driver, *sets: str, after: str = "", limit: int = 100) -> tuple[str, list[Listed]]:
    found = d.ledger.threads(d.thread.namespace, d.thread.shard, Sought(sets), after, limit)
    return found.place, list(found.threads)


def found_in(d: Driver, *sets: str) -> bool:
    return d.thread.x in [each.x for each in page(d, *sets)[1]]


def neighbours(d: Driver, count: int) -> list[Driver]:
    """Return so many threads of the same shard, changed at the same moment and in an order."""
    ids = (str(n) for n in range(100_000))
    drivers = (Driver(d.client, d.thread.namespace, name) for name in ids)
    same = (each for each in drivers if each.thread.shard == d.thread.shard)
    found = sorted((next(same) for _ in range(count)), key=lambda each: each.thread.x, reverse=True)
    for each in found:
        start(each)
    at(1_000, found)
    return found


def at(ms: int, drivers: list[Driver]) -> None:
    """Make the last change of threads one of that time."""
    for d in drivers:
        d.client.hset(d.thread.header, HeaderField.updated, ms)
        for key in d.client.keys(f"{keys.shard_prefix(d.thread.namespace, d.thread.shard)}ix:*"):
            d.client.zadd(key, {d.thread.x: ms}, xx=True)


def a_thread_is_found_by_its_graph_and_its_marks(d: Driver) -> None:
    start(d, tenant="a")
    assert all(found_in(d, name) for name in (about.ALL, GRAPH, MARK))
    _, (listed,) = page(d, MARK)
    assert (listed.metadata, listed.run, listed.st) == ({"tenant": "a"}, "run", "idle")
    header = d.ledger.header(d.thread)
    assert header is not None
    assert (header.metadata, header.upd) == (listed.metadata, listed.upd)


def a_start_that_tells_nothing_leaves_what_was_told(d: Driver) -> None:
    start(d, tenant="a")
    start(d, "run-2", expect="cp-run")
    assert [each.metadata for each in page(d, MARK)[1]] == [{"tenant": "a"}]


def a_thread_leaves_the_sets_of_what_it_was_before(d: Driver) -> None:
    start(d, tenant="a")
    start(d, "run-2", "other", expect="cp-run", tenant="b")
    assert not found_in(d, GRAPH)
    assert not found_in(d, MARK)
    assert found_in(d, OTHER)


def a_deleted_thread_is_in_no_set(d: Driver) -> None:
    start(d, tenant="a")
    d.ledger.delete(d.thread)
    assert d.client.keys(f"{keys.shard_prefix(d.thread.namespace, d.thread.shard)}ix:*") == []


def a_thread_that_a_saver_created_is_found(d: Driver) -> None:
    (checkpoint,) = superstep("cp-0").checkpoints
    d.ledger.call(commands.put(d.thread, FrameName("inner"), checkpoint, ep=nonce()))
    assert found_in(d, about.ALL, about.by_status("idle"))


def what_is_wanted_is_in_all_sets(d: Driver) -> None:
    start(d, tenant="a")
    _, marked = neighbours(d, 2)
    start(marked, "run-2", "other", expect="cp-run", tenant="a")
    assert [each.x for each in page(d, GRAPH, MARK)[1]] == [d.thread.x]


def a_thread_whose_keys_are_gone_is_in_no_list(d: Driver) -> None:
    start(d)
    d.client.delete(d.thread.header)
    assert page(d, about.ALL) == ("", [])


def the_smallest_set_is_walked_over(d: Driver) -> None:
    """So that the page of what is rare is not looked for among all."""
    start(d, tenant="a")
    many = [f"{n:024}" for n in range(Limit.listed)]
    prefix = keys.shard_prefix(d.thread.namespace, d.thread.shard)
    d.client.zadd(f"{prefix}ix:all", dict.fromkeys(many, 10**15))
    assert [each.x for each in page(d, about.ALL, MARK)[1]] == [d.thread.x]


def a_page_goes_on_where_the_last_one_ended(d: Driver) -> None:
    """Also among those that changed in one millisecond, which come by their hashes."""
    found = neighbours(d, 5)
    at(2_000, found[4:])
    order = [each.thread.x for each in (found[4], *found[:4])]
    seen, place = list[str](), ""
    for _ in range(3):
        place, some = page(d, about.ALL, after=place, limit=2)
        seen += [each.x for each in some]
        assert place in ("", some[-1].place)
    assert seen == order


def a_page_ends_where_a_reply_is_full(d: Driver) -> None:
    largest = {f"{n:0255}": "x" * 255 for n in range(16)}
    few = Limit.inline_writes // len(about.encode(largest)) + 1
    for each in neighbours(d, few + 5):
        start(each, "run-2", expect="cp-run", **largest)
    place, found = page(d, about.ALL, limit=Limit.listed)
    assert (len(found), place) == (few, found[-1].place)
    assert len(page(d, about.ALL, after=place)[1]) == 5


def a_script_looks_at_few_threads(d: Driver) -> None:
    others = {f"{n:024}": n + 1 for n in range(Limit.listed + 5)}
    d.client.zadd(f"{keys.shard_prefix(d.thread.namespace, d.thread.shard)}ix:all", others)
    place, _ = page(d, about.ALL)
    assert place == f"6-{5:024}"
    assert page(d, about.ALL, after=place)[0] == ""


def those_of_one_moment_do_not_keep_a_list_from_going_on(d: Driver) -> None:
    others = dict.fromkeys((f"{n:024}" for n in range(Limit.listed + 5)), 7)
    d.client.zadd(f"{keys.shard_prefix(d.thread.namespace, d.thread.shard)}ix:all", others)
    place, _ = page(d, about.ALL)
    assert place == f"7-{5:024}"
    assert page(d, about.ALL, after=place)[0] == ""


def guard(keeps: object, text: str, without: str, script: str = "walk.lua") -> Guard:
    return Guard(keeps, script, text, without)  # type: ignore[arg-type]


GUARDS = (
    guard(
        a_thread_is_found_by_its_graph_and_its_marks,
        "names[#names + 1] = INDEX.mark .. mark",
        "",
        "status.lua",
    ),
    guard(
        a_thread_is_found_by_its_graph_and_its_marks,
        "  h[HEADER_ROW.about] = cget(FIELD.about)\n",
        "",
        "head.lua",
    ),
    guard(a_start_that_tells_nothing_leaves_what_was_told, "A.about > 0", "true", "start.lua"),
    guard(a_thread_leaves_the_sets_of_what_it_was_before, "unindex()\n", "", "start.lua"),
    guard(a_deleted_thread_is_in_no_set, "unindex()\n", "", "delete.lua"),
    guard(
        a_deleted_thread_is_in_no_set,
        "st and indexes(st, graph, marks) or {}",
        "indexes(st, graph, marks)",
        "status.lua",
    ),
    guard(a_thread_that_a_saver_created_is_found, "  stand(STATUS.idle)\n", "", "create.lua"),
    guard(what_is_wanted_is_in_all_sets, " and is_in_all()", ""),
    guard(
        a_thread_whose_keys_are_gone_is_in_no_list,
        "  if not id then return nil end\n",
        "",
        "listed.lua",
    ),
    guard(the_smallest_set_is_walked_over, "count < size", "false"),
    guard(a_page_goes_on_where_the_last_one_ended, "updated ~= at or X < after", "true"),
    guard(a_page_goes_on_where_the_last_one_ended, "updated ~= at or X < after", "X < after"),
    guard(
        a_page_goes_on_where_the_last_one_ended,
        "#out == A.limit or ",
        "",
        "threads.lua",
    ),
    guard(
        a_page_ends_where_a_reply_is_full,
        "read_bytes > LIMIT.inline_writes or ",
        "",
        "listed.lua",
    ),
    guard(a_script_looks_at_few_threads, "'LIMIT', 0, most", "'LIMIT', 0, -1"),
    guard(a_script_looks_at_few_threads, "#found == 2 * most and place or ''", "''"),
    guard(
        those_of_one_moment_do_not_keep_a_list_from_going_on,
        "(at and call('ZCOUNT', set(walked), at, at) or 0)",
        "0",
    ),
)
