"""What was answered, as commands tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from distgraph.core.model import Expired, ThreadState
from distgraph.core.snapshot import shown_answer
from distgraph.types import GivenAnswer

from ..client.past import AnswerInfo
from .facts import value_of
from .screen import ago, as_json

LENGTH = 60
"""So many characters of a value stand in a line."""


def answers_in(state: ThreadState) -> list[GivenAnswer]:
    """Return the answers that were given to the tasks which ran from a checkpoint."""
    return [shown_answer(each) for given in state.answers.values() for each in given]


def answer_facts(info: AnswerInfo) -> dict[str, Any]:
    """Return what is told to programs of a question and its answer."""
    return {
        "id": info.interrupt.id,
        "question": value_of(info.interrupt),
        "value": shown_value(info.value),
        "by": info.by,
        "asked": info.asked,
        "answered": info.answered,
        "run": info.run,
        "checkpoint": info.checkpoint,
    }


def shown_value(value: Any) -> Any:
    """Return what was answered; the default where nobody did."""
    return value.default if isinstance(value, Expired) else value


def brief_answer(answer: GivenAnswer, today: datetime) -> str:
    """Say an answer, who gave it and how long ago, in a few words."""
    who = f" by {answer.by}" if answer.by else ""
    when = f", {ago(answer.answered, today)}" if answer.answered else ""
    late = " (nobody answered in time)" if answer.expired else ""
    return f"{brief(answer.value)}{who}{when}{late}"


def brief(value: Any) -> str:
    """Say a value on a line."""
    said = value if isinstance(value, str) else as_json(value)
    return said if len(said) <= LENGTH else f"{said[: LENGTH - 3]}..."
