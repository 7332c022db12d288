"""What is explored: the protocol under each fault, and the protocol without each safeguard."""

from __future__ import annotations

from collections.abc import Mapping

from tests.model.framed import FRAMED, FRAMED_MUTANTS
from tests.model.state import NOTHING, Scenario

TWO = (("ok", "ok"), ("ok",))
ASKED = (("intr", "ok"), ("ok",))
LOST = NOTHING._replace(lost=1)
FAILS = NOTHING._replace(fails=1)
CANCELS = NOTHING._replace(cancels=1)
ADOPTS = NOTHING._replace(adopts=1)
FAIL_OVER = NOTHING._replace(fail_overs=1)
ASKING = (("intr",), ("ok",))
MANY = (("intr", "intr"), ("ok",))
STOPPED = (("stop", "ok"), ("ok",))
CALLING, CALLING_ASKED = (("inner", "ok"), ("ok",)), (("inner-intr",), ("ok",))

HOLDS: Mapping[str, Scenario] = {
    "two tasks": Scenario(TWO),
    "two tasks, a lost reply": Scenario(TWO, budget=LOST),
    "two tasks, three workers": Scenario(TWO, workers=3, zombies=1),
    "three tasks": Scenario((("ok", "ok", "ok"), ("ok",)), zombies=1),
    "back-off": Scenario(TWO, budget=FAILS),
    "final failure": Scenario(TWO, budget=FAILS, fails_for_good=True),
    "final failure, question": Scenario(ASKED, budget=FAILS, fails_for_good=True, zombies=1),
    "question": Scenario(ASKED),
    "two questions at once": Scenario((("intr", "intr"), ("ok",))),
    "two questions in a row": Scenario((("intrx2",), ("ok",))),
    "question with a deadline": Scenario(ASKED, zombies=1, deadlines=True),
    "two questions with deadlines": Scenario(MANY, workers=1, zombies=1, deadlines=True),
    "question with a deadline, in a row": Scenario(
        (("intrx2",), ("ok",)), workers=1, zombies=1, deadlines=True
    ),
    "question with a deadline, final failure": Scenario(
        ASKED, budget=FAILS, workers=1, fails_for_good=True, zombies=1, deadlines=True
    ),
    "question with a deadline, cancel": Scenario(
        (("intr",),), budget=CANCELS, workers=1, zombies=1, deadlines=True
    ),
    "question with a deadline, fail-over": Scenario(
        (("intr",),), budget=FAIL_OVER, workers=1, zombies=1, deadlines=True
    ),
    "called graph, question with a deadline": Scenario(CALLING_ASKED, zombies=1, deadlines=True),
    "question, failure, a lost reply": Scenario(
        ASKED, budget=NOTHING._replace(fails=1, lost=1), zombies=1
    ),
    "cancel": Scenario(TWO, budget=CANCELS, zombies=1),
    "cancel, question": Scenario(ASKING, budget=CANCELS, zombies=1),
    "called graph": Scenario(CALLING),
    "called graph, a lost reply": Scenario(CALLING, budget=LOST, zombies=1),
    "called graph, back-off": Scenario(CALLING, budget=FAILS, zombies=1),
    "called graph, question": Scenario(CALLING_ASKED),
    "called graph, cancel": Scenario(CALLING_ASKED, budget=CANCELS, zombies=1),
    "breakpoint inside": Scenario(STOPPED),
    "breakpoint inside, question": Scenario((("intr", "stop"), ("ok",)), zombies=1),
    "breakpoint inside, final failure": Scenario(
        STOPPED, budget=FAILS, fails_for_good=True, zombies=1
    ),
    "breakpoint inside, fail-over": Scenario((("stop",), ("ok",)), budget=FAIL_OVER, zombies=1),
    "many answers at once": Scenario(MANY, zombies=1, wide=True),
    "many answers at once beside another task": Scenario(
        (("intr", "intr", "ok"), ("ok",)), workers=1, zombies=1, wide=True
    ),
    "many answers at once, in a row": Scenario((("intrx2", "intr"),), zombies=1, wide=True),
    "many answers at once, final failure": Scenario(
        MANY, budget=FAILS, fails_for_good=True, zombies=1, wide=True
    ),
    "many answers at once, cancel": Scenario(
        MANY[:1], budget=CANCELS, workers=1, zombies=1, wide=True
    ),
    "many answers at once, adoption": Scenario(
        MANY[:1], budget=ADOPTS, workers=1, zombies=1, wide=True
    ),
    "many answers at once, fail-over": Scenario(
        MANY[:1], budget=FAIL_OVER, workers=1, zombies=1, wide=True
    ),
    "adoption": Scenario(TWO, budget=ADOPTS, zombies=1),
    "adoption, question": Scenario(ASKED, budget=ADOPTS, zombies=1),
    "adoption, called graph": Scenario(CALLING, budget=ADOPTS, zombies=1),
    "adoption, final failure": Scenario(
        TWO, budget=NOTHING._replace(fails=1, adopts=1), fails_for_good=True, zombies=1
    ),
    "fail-over": Scenario(TWO, budget=FAIL_OVER, zombies=1),
    "fail-over, question": Scenario(ASKING, budget=FAIL_OVER, zombies=1),
    "fail-over, question beside another": Scenario(ASKED, budget=FAIL_OVER, zombies=1),
    "fail-over, called graph": Scenario((("inner",), ("ok",)), budget=FAIL_OVER, zombies=1),
    **FRAMED,
}

IN_A_ROW = (("ok",), ("ok",))
MUTANTS: Mapping[str, Scenario] = {
    "set of ids": Scenario(TWO),
    "epoch": Scenario(IN_A_ROW),
    "round": Scenario(ASKING),
    "lease of the advance": Scenario(TWO),
    "outbox": Scenario(TWO),
    "token of a failure": Scenario(TWO, budget=FAILS),
    "barrier of a retry": Scenario(IN_A_ROW, budget=FAILS, fails_for_good=True),
    "epoch of a cancel": Scenario(ASKING, budget=CANCELS),
    "pending question": Scenario(ASKED),
    "id of an instance": Scenario((("intrx2",), ("ok",))),
    "id of an attempt": Scenario(ASKING, budget=FAIL_OVER, zombies=1),
    "nonces": Scenario(IN_A_ROW, budget=FAIL_OVER, zombies=1),
    "nonces, question": Scenario(ASKING, budget=FAIL_OVER, zombies=1),
    "token of the advance": Scenario(ASKING, budget=FAIL_OVER, zombies=1),
    "token of an inner frame": Scenario(CALLING),
    "head of an inner frame": Scenario((("inner",), ("ok",)), budget=FAIL_OVER, zombies=1),
    "epoch of an adoption": Scenario(TWO, budget=ADOPTS, zombies=1),
    "hold of a move": Scenario(MANY, workers=1, zombies=1, wide=True),
    "sweep of a move": Scenario(MANY, workers=1, zombies=1, wide=True),
    "one call after the other": Scenario(MANY, zombies=1, wide=True),
    "sweep of a deadline": Scenario(ASKING, zombies=1, deadlines=True),
    "refusal of what is late": Scenario(ASKING, zombies=1, deadlines=True),
    "moment of what is staged": Scenario(MANY, zombies=1, wide=True),
    **FRAMED_MUTANTS,
}
"""By the safeguard that is taken out; what follows a comma tells two scenarios apart."""
