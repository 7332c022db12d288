"""Functions of a script stand in the only one that uses them, and mean what they meant."""

from __future__ import annotations

from typing import Any

import pytest
from lupa import lua51

from checkpoint_redis.nesting import nested


def run(script: str) -> Any:
    return lua51.LuaRuntime().execute(script)


def order(script: str) -> list[str]:
    """Return a script's functions and where they end, in their order."""
    heads = ("local function ", "end")
    lines = (line for line in script.splitlines() if line.startswith(heads))
    return [line.removeprefix("local function ").partition("(")[0] for line in lines]


def test_what_nothing_uses_is_left_out() -> None:
    script = nested(
        ["local function a() return 1 end\nlocal function b() return a() end\n", "return 2\n"]
    )
    assert order(script) == []
    assert run(script) == 2


def test_what_one_function_uses_stands_in_it() -> None:
    files = [
        "local function inmost() return 'x' end\n",
        "local function inner()\n  return inmost() .. 'y'\nend\n",
        "local function outer()\n  return inner() .. 'z'\nend\nreturn outer()\n",
    ]
    script = nested(files)
    assert order(script) == ["outer", "inner", "inmost", "end", "end", "end"]
    assert run(script) == "xyz" == run("".join(files))


def test_what_two_functions_use_stands_before_both_of_them() -> None:
    files = [
        "local function both() return 'b' end\n",
        "local function one() return both() .. 1 end\n",
        "local function two() return both() .. 2 end\n",
        "local function all() return one() .. two() end\nreturn all()\n",
    ]
    script = nested(files)
    assert order(script) == ["all", "both", "end", "one", "end", "two", "end", "end"]
    assert run(script) == "b1b2"


def test_what_the_script_itself_uses_stays() -> None:
    script = nested(
        ["local function a() return 1 end\nlocal function b() return a() end\nreturn a() + b()\n"]
    )
    assert order(script) == ["a", "end", "b", "end"]
    assert run(script) == 2


@pytest.mark.parametrize(
    "loop",
    [
        "for i = 1, 3 do out = out .. outer() end",
        "for _, i in ipairs({1, 2, 3}) do if i then out = out .. outer() end end",
        "local i = 0\nwhile i < 3 do i = i + 1 out = out .. outer() end",
        "local i = 0\nrepeat i = i + 1 out = out .. outer() until i == 3",
    ],
)
def test_what_is_called_in_a_loop_makes_nothing_each_time(loop: str) -> None:
    script = nested(
        [
            "local function inner() return 'x' end\nlocal function outer() return inner() end\n",
            f"local out = ''\n{loop}\nreturn out\n",
        ]
    )
    assert order(script) == ["inner", "end", "outer", "end"]
    assert run(script) == "xxx"


def test_after_a_loop_a_call_is_in_none() -> None:
    script = nested(
        [
            "local function inner() return 'x' end\nlocal function outer() return inner() end\n",
            "local n = 0\nfor i = 1, 3 do if i > 1 then n = n + i end end\nreturn outer() .. n\n",
        ]
    )
    assert order(script) == ["outer", "inner", "end", "end"]
    assert run(script) == "x5"


@pytest.mark.parametrize("name", ["state", "type", "inner"])
def test_an_argument_hides_nothing_that_a_function_means(name: str) -> None:
    files = [
        "local state = 'kept'\n",
        "local function inner() return type(state) .. state end\n",
        f"local function outer({name})\n  return {name} == 1 and inner and inner()\nend\n",
        "return outer(1)\n",
    ]
    whole = "".join(files).replace("and inner and inner()", "and inner()")
    script = nested(files)
    assert order(script) == ["inner", "end", "outer", "end"]
    if name != "inner":
        assert run(script) == "stringkept" == run(whole)


def test_an_argument_of_its_own_hides_nothing() -> None:
    script = nested(
        [
            "local function inner(x) local y = x return y end\n",
            "local function outer(x, y)\n  return inner(x) + inner(y)\nend\nreturn outer(1, 2)\n",
        ]
    )
    assert order(script) == ["outer", "inner", "end", "end"]
    assert run(script) == 3


def test_words_in_texts_are_no_names() -> None:
    script = nested(
        [
            "local function a() return 'b' end\nlocal function b() return \"a\" end\n",
            "local function c() return a() .. 'b for end' end\nreturn c()\n",
        ]
    )
    assert order(script) == ["c", "a", "end", "end"]
    assert run(script) == "bb for end"


def test_what_stands_between_functions_keeps_its_order() -> None:
    script = nested(
        [
            "local n = 1\nlocal function more() n = n * 10 return n end\nmore()\n",
            "n = n + 1\nlocal function last() return more() end\nreturn last()\n",
        ]
    )
    assert run(script) == 110
