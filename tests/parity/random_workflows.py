"""Random workflows."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.parity.workflows import Ask, Call, Chunk, Graph, Inside, Step, Together, Workflow


@st.composite
def workflows(draw: st.DrawFn, *, wide: bool = True, fails: bool = True) -> Workflow:
    """A workflow of up to three levels; `wide`: with calls at the same time.

    Whoever is not waited for asks nothing: its question is nobody's. Who calls others is not tried
    again by a policy: the reference makes the calls again that had succeeded. It forgets the answer
    to a question that the next attempt does not reach, because what failed before asks now.
    """
    return Workflow(draw(_steps(3, wide=wide, fails=fails)), saves=draw(st.booleans()))


@st.composite
def _steps(draw: st.DrawFn, depth: int, *, wide: bool, fails: bool) -> tuple[Step, ...]:
    kinds: list[st.SearchStrategy[Step]] = [
        st.just(Ask()),
        st.just(Chunk()),
        _calls(depth, wide=wide, fails=fails),
    ]
    if depth:
        inner = _steps(depth - 1, wide=wide, fails=fails)
        kinds += [
            st.builds(Inside, inner).filter(_asks_one_by_one),
            st.builds(Graph, st.booleans()),
        ]
    if depth and wide:
        several = st.lists(_calls(depth - 1, wide=wide, fails=fails), min_size=2, max_size=3)
        kinds.append(st.builds(Together, several.map(tuple)).filter(_is_comparable))
    return tuple(draw(st.lists(st.one_of(kinds), min_size=1, max_size=3)))


def _calls(depth: int, *, wide: bool, fails: bool) -> st.SearchStrategy[Call]:
    return _any_calls(depth, wide=wide, fails=fails).filter(_is_reached)


@st.composite
def _any_calls(draw: st.DrawFn, depth: int, *, wide: bool, fails: bool) -> Call:
    failing = draw(st.sampled_from([0, 0, 1, 2])) if fails else 0
    left, caught = wide and draw(st.integers(0, 5)) == 0, draw(st.booleans())
    deeper = depth > 0 and not left and draw(st.booleans())
    return Call(
        draw(_steps(depth - 1, wide=wide, fails=fails)) if deeper else (),
        fails=failing,
        retries=not deeper and draw(st.booleans()),
        caught=caught,
        left=left,
    )


def _asks_one_by_one(step: Step) -> bool:
    """Whether no two calls in it ask at once: of a workflow inside the reference tells both."""
    match step:
        case Together(calls):
            return sum(map(_asks, calls)) < 2 and all(map(_asks_one_by_one, calls))
        case Call(steps) | Inside(steps):
            return all(map(_asks_one_by_one, steps))
        case _:
            return True


def _is_reached(call: Call) -> bool:
    """Whether what it asks is reached before what comes behind it: it is not caught failing."""
    return not (call.caught and _asks(call) and _fails(call))


def _is_comparable(several: Together) -> bool:
    """Whether none of them asks while another one fails, or fails for good.

    What others have returned by then the reference sometimes loses.
    """
    if any(map(_fails_for_good, several.calls)):
        return False
    return not (any(map(_asks, several.calls)) and any(map(_fails, several.calls)))


def _fails_for_good(step: Step) -> bool:
    match step:
        case Call(caught=True) | Call(left=True):
            return False
        case Call(steps, fails, retries):
            return fails > int(retries) or any(map(_fails_for_good, steps))
        case Inside(steps) | Together(steps):
            return any(map(_fails_for_good, steps))
        case _:
            return False


def _asks(step: Step) -> bool:
    match step:
        case Ask() | Graph(asks=True):
            return True
        case Call(steps) | Inside(steps) | Together(steps):
            return any(map(_asks, steps))
        case _:
            return False


def _fails(step: Step) -> bool:
    match step:
        case Call(steps, fails):
            return fails > 0 or any(map(_fails, steps))
        case Inside(steps) | Together(steps):
            return any(map(_fails, steps))
        case _:
            return False
