"""Guards of histories: a page costs its page, and lists what is stored, in its order."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep

MANY = Limit.frozen_fields


def put(d: Driver, cp: str, ns: str = "") -> None:
    (checkpoint,) = superstep(cp).checkpoints
    d.ledger.call(commands.put(d.thread, FrameName(ns), checkpoint, ep=nonce()))


def many(d: Driver) -> list[str]:
    """Put so many checkpoints that they are listed apart; return them newest first."""
    names = [f"cp-{n:03}" for n in range(MANY)]
    for name in names:
        put(d, name)
    return names[::-1]


def history(d: Driver, before: str = "", count: int = 1_000, ns: str = "") -> list[str]:
    return list(d.ledger.history(d.thread, FrameName(ns).hash, before, count))


def a_page_of_a_long_history_is_what_it_was_asked_for(d: Driver) -> None:
    put(d, "cp-inner", "inner")
    names = many(d)
    put(d, "cp-later", "inner")
    assert "i" in d.stored()
    assert (history(d), history(d, count=3)) == (names, names[:3])
    assert history(d, before=names[4], count=2) == names[5:7]
    assert history(d, ns="inner") == ["cp-later", "cp-inner"]


def a_short_history_has_no_key_of_its_own(d: Driver) -> None:
    for name in ("cp-2", "cp-0", "cp-1"):
        put(d, name)
    put(d, "cp-inner", "inner")
    assert "i" not in d.stored()
    assert history(d) == ["cp-2", "cp-1", "cp-0"]
    assert (history(d, count=1), history(d, before="cp-1")) == (["cp-2"], ["cp-0"])
    assert history(d, ns="inner") == ["cp-inner"]


def forget(d: Driver, *names: str) -> None:
    header = d.ledger.header(d.thread)
    assert header is not None
    fields = tuple(f"k||{name}" for name in names) + tuple(f"v||c@{name}" for name in names)
    d.ledger.call(commands.forget(d.thread, fields, (), ep=header.ep, new_ep=nonce()))


def what_is_forgotten_is_not_listed(d: Driver) -> None:
    names = many(d)
    forget(d, names[3])
    assert history(d) == [*names[:3], *names[4:]]
    forget(d, *names[1:])
    assert (history(d), "i" in d.stored()) == (names[:1], False)


def a_listed_thread_is_removed_with_its_list(d: Driver) -> None:
    many(d)
    d.ledger.delete(d.thread)
    assert d.stored() == set()


GUARDS = (
    Guard(
        a_page_of_a_long_history_is_what_it_was_asked_for,
        "listing.lua",
        "    if name then call('ZADD', P .. KEY.listing, 0, name) end\n",
        "",
    ),
    Guard(
        a_page_of_a_long_history_is_what_it_was_asked_for,
        "listing.lua",
        "    call('ZADD', P .. KEY.listing, 0, ns .. '|' .. cp)\n",
        "",
    ),
    Guard(
        a_page_of_a_long_history_is_what_it_was_asked_for,
        "history.lua",
        "A.before == '' and A.ns .. '}' or ",
        "",
    ),
    Guard(
        a_short_history_has_no_key_of_its_own,
        "listing.lua",
        "call('HLEN', C) > LIMIT.frozen_fields then list_all()",
        "true then list_all()",
    ),
    Guard(
        a_short_history_has_no_key_of_its_own,
        "history.lua",
        " and (A.before == '' or name < prefix .. A.before)",
        "",
    ),
    Guard(
        a_short_history_has_no_key_of_its_own,
        "history.lua",
        "  table.sort(found, function(a, b) return a > b end)\n",
        "",
    ),
    Guard(
        a_short_history_has_no_key_of_its_own,
        "history.lua",
        "name and string.sub(name, 1, #prefix) == prefix",
        "name",
    ),
    Guard(
        what_is_forgotten_is_not_listed,
        "listing.lua",
        "    if name then call('ZREM', P .. KEY.listing, name) end\n",
        "",
    ),
    Guard(
        what_is_forgotten_is_not_listed,
        "listing.lua",
        "  if call('HLEN', C) <= LIMIT.frozen_fields then call('UNLINK', P .. KEY.listing) end\n",
        "",
    ),
    Guard(a_listed_thread_is_removed_with_its_list, "delete.lua", "P .. KEY.listing, ", ""),
)
