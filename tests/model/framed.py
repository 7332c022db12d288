"""What is explored of graphs whose supersteps are jobs, and the safeguards of such frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.model.state import NOTHING, Scenario

ONE, ASKS, TWO = (("ok",),), (("intr",),), (("ok",), ("ok",))
LOST = NOTHING._replace(lost=1)
FAILS = NOTHING._replace(fails=1)
CANCELS = NOTHING._replace(cancels=1)
ADOPTS = NOTHING._replace(adopts=1)
UPDATES = NOTHING._replace(updates=1)
FAIL_OVER = NOTHING._replace(fail_overs=1)

GRAPH = Scenario((("sub1",),), frames=(ONE,), zombies=1)
BESIDE = Scenario((("sub1", "ok"), ("ok",)), frames=(ONE,), zombies=1)
STEPS = Scenario((("sub1",),), frames=((("ok", "ok"), ("ok",)),), zombies=1)
ASKING = Scenario((("sub1",),), frames=(ASKS,), zombies=1)
ASKING_BESIDE = Scenario((("sub1",),), frames=((("intr", "ok"),),), zombies=1)
MANY = Scenario((("sub1",),), frames=((("intr", "intr"),),), workers=1, zombies=1)
LEVELS = Scenario((("sub1",),), frames=((("sub2",),), ONE), zombies=1)
LEVELS_ASKING = Scenario((("sub1",),), frames=((("sub2",),), ASKS), workers=1, zombies=1)
GRAPHS_ASKING = Scenario((("sub1", "sub2"),), frames=(ASKS, ASKS), workers=1, zombies=1)
STOPPING = Scenario((("sub1",),), frames=(TWO,), stops=frozenset({(1, 1)}), workers=1, zombies=1)
STOPPING_INSIDE = Scenario(
    (("sub1",),), frames=((("sub2",),), TWO), stops=frozenset({(2, 1)}), workers=1, zombies=1
)
LEAVING = Scenario((("sub1",),), frames=((("out1", "ok"), ("ok",)),), zombies=1)
LEAVING_TWO = Scenario((("sub1",),), frames=((("sub2",),), (("out2",),)), zombies=1)
FAILING = replace(GRAPH, budget=FAILS, fails_for_good=True)
FAILING_BESIDE = replace(STEPS, frames=((("ok", "ok"),),), budget=FAILS, fails_for_good=True)
FAILING_TWICE = replace(FAILING_BESIDE, budget=NOTHING._replace(fails=2), parent_retries=True)

CALLS = Scenario((("sub1",),), frames=((("ok", "ok", "ok"),),), calls=((1, (2, 1)),), zombies=1)
CALLS_ASKING = Scenario((("sub1",),), frames=((("intr", "ok"),),), calls=((1, (2,)),), zombies=1)
CALLED = replace(CALLS_ASKING, frames=(ASKS,), calls=((1, (1,)),), workers=1)
CALLS_FAILING = replace(CALLS, budget=FAILS, fails_for_good=True)
CALLS_INSIDE = Scenario(
    (("sub1",),),
    frames=((("sub2", "ok"),), (("ok", "ok"),)),
    calls=((1, (2,)), (2, (1, 1))),
    zombies=1,
)

FRAMED: Mapping[str, Scenario] = {
    "frame": GRAPH,
    "frame, zombies": replace(GRAPH, zombies=2),
    "frame beside a task": BESIDE,
    "frame of two supersteps": STEPS,
    "frame, question": ASKING,
    "frame, question beside a task": ASKING_BESIDE,
    "frame, two questions": MANY,
    "frame, lost replies": replace(ASKING, budget=NOTHING._replace(lost=2)),
    "three levels": LEVELS,
    "three levels, question": LEVELS_ASKING,
    "two frames": GRAPHS_ASKING,
    "stop": STOPPING,
    "three levels, stop": STOPPING_INSIDE,
    "stop, adoption": replace(STOPPING, budget=ADOPTS),
    "stop, back-off": replace(STOPPING, budget=FAILS),
    "three levels, stop, back-off": replace(STOPPING_INSIDE, budget=FAILS),
    "three levels, stop, failure": replace(STOPPING_INSIDE, budget=FAILS, fails_for_good=True),
    "command": LEAVING,
    "command of three levels": LEAVING_TWO,
    "frame, back-off": replace(BESIDE, budget=FAILS),
    "frame fails": FAILING,
    "frame fails beside a task": FAILING_BESIDE,
    "frame fails, slices": replace(FAILING_BESIDE, budget=NOTHING._replace(fails=2), sliced=True),
    "frame fails, slices, lost reply": replace(
        FAILING_BESIDE, budget=NOTHING._replace(fails=2, lost=1), sliced=True
    ),
    "calls, failures, slices": replace(
        CALLS_FAILING, budget=NOTHING._replace(fails=2), workers=1, sliced=True
    ),
    "calls, failures, slices, lost reply": replace(
        CALLS_FAILING, budget=NOTHING._replace(fails=2, lost=1), workers=1, sliced=True
    ),
    "frame fails, tried again by its task": replace(FAILING_BESIDE, parent_retries=True),
    "task fails beside a frame": replace(BESIDE, budget=FAILS, fails_for_good=True, workers=1),
    "question, failure inside": replace(
        ASKING_BESIDE, budget=FAILS, fails_for_good=True, workers=1
    ),
    "three levels, failure": replace(LEVELS, budget=FAILS, fails_for_good=True),
    "three levels, failure, tried again": replace(
        LEVELS, budget=NOTHING._replace(fails=2), fails_for_good=True, parent_retries=True
    ),
    "frame, cancel": replace(ASKING, budget=CANCELS),
    "frame of two supersteps, cancel": replace(STEPS, frames=(TWO,), budget=CANCELS),
    "three levels, cancel": replace(LEVELS, budget=CANCELS, workers=1),
    "frame, adoption": replace(ASKING_BESIDE, budget=ADOPTS, workers=1),
    "three levels, adoption": replace(LEVELS_ASKING, budget=ADOPTS),
    "two frames, update": replace(GRAPHS_ASKING, budget=UPDATES, updated=1),
    "three levels, update": replace(LEVELS_ASKING, budget=UPDATES, updated=2),
    "frame, fail-over": replace(GRAPH, budget=FAIL_OVER),
    "frame, question, fail-over": replace(ASKING, budget=FAIL_OVER, workers=1),
    "three levels, fail-over": replace(LEVELS, budget=FAIL_OVER, workers=1),
    "failure before a park": replace(FAILING_TWICE, workers=2),
    "calls": CALLS,
    "calls, lost reply": replace(CALLS, budget=LOST, workers=1),
    "calls beside a task": replace(CALLS, steps=(("sub1", "ok"), ("ok",)), workers=1),
    "calls, question": CALLS_ASKING,
    "calls, question, adoption": replace(CALLS_ASKING, budget=ADOPTS, workers=1),
    "calls, question, cancel": replace(CALLS_ASKING, budget=CANCELS, workers=1),
    "calls, back-off": replace(CALLS, budget=FAILS, workers=1),
    "calls, failure": CALLS_FAILING,
    "calls, failure caught": replace(CALLS_FAILING, caught=True),
    "calls, failure, tried again": replace(CALLS_FAILING, parent_retries=True),
    "calls, failure, question": replace(CALLS_ASKING, budget=FAILS, fails_for_good=True),
    "calls, failure beside them": replace(
        CALLS_FAILING,
        steps=(("sub1", "ok"),),
        frames=((("ok", "ok"),),),
        calls=((1, (2,)),),
        workers=1,
    ),
    "calls, fail-over": replace(CALLED, budget=FAIL_OVER),
    "calls of calls": CALLS_INSIDE,
    "calls of calls, failure": replace(CALLS_INSIDE, budget=FAILS, fails_for_good=True, workers=1),
}

FRAMED_MUTANTS: Mapping[str, Scenario] = {
    "around": replace(ASKING, budget=CANCELS, workers=1),
    "token of a park": replace(ASKING, zombies=2),
    "epoch of a frame": replace(GRAPH, zombies=2, budget=FAIL_OVER),
    "parked alone goes up": replace(
        GRAPH, frames=((("out1", "ok"),),), budget=FAILS, fails_for_good=True
    ),
    "risen of a result": replace(ASKING, workers=1),
    "risen of a failure": replace(FAILING, parent_retries=True, workers=1),
    "outbox of who went up": replace(GRAPH, workers=1),
    "parked of a retry": replace(BESIDE, budget=FAILS, fails_for_good=True, workers=1),
    "parked of a rejoin": replace(
        LEVELS, steps=(("sub1", "ok"),), budget=FAILS, fails_for_good=True, workers=1
    ),
    "barrier of a park": replace(BESIDE, budget=FAILS, fails_for_good=True),
    "due of a park": replace(BESIDE, budget=FAILS, fails_for_good=True, workers=1),
    "round of a stop": replace(STOPPING, budget=FAILS),
    "round of the untold": replace(STOPPING_INSIDE, budget=FAILS, fails_for_good=True),
    "superstep around": replace(ASKING, budget=CANCELS, workers=1),
    "superstep of an adoption": replace(ASKING, budget=ADOPTS, workers=1),
    "epoch of a revival": replace(ASKING_BESIDE, budget=ADOPTS),
    "part of a superstep": replace(ASKING, budget=ADOPTS, workers=1),
    "token of what is collected": replace(ASKING, budget=FAIL_OVER, workers=1),
    "failure before a park": FAILING_TWICE,
    "all calls of a park": CALLS,
    "others of a failed call": CALLS_FAILING,
    "end of a failed call": replace(CALLS_FAILING, caught=True, workers=1),
    "no advance of calls": replace(CALLS_ASKING, workers=1),
    "failed calls of a retry": replace(CALLS_FAILING, workers=1),
    "risen of a failure, calls": replace(CALLS_FAILING, parent_retries=True, workers=1),
    "barrier of a park, calls": replace(
        CALLED, steps=(("sub1", "ok"),), frames=(ONE,), budget=FAILS, fails_for_good=True, workers=2
    ),
    "token of what is collected, calls": replace(CALLED, budget=FAIL_OVER),
}
