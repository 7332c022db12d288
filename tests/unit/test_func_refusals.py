"""What is given to workflows in a wrong type is refused by its name, before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from distgraph.func import entrypoint, task

WRONG: Any = 3


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: entrypoint(double), r"write @entrypoint\(\) above 'double', with brackets"),
        (lambda: entrypoint(queue=WRONG), "queue must be a string, not int 3"),
        (lambda: entrypoint(retry_policy=WRONG), "retry_policy must be .*, not int 3"),
        (lambda: task(double, name=WRONG), "must be a string, not int 3"),
        (lambda: task(double, retry_policy=WRONG), "RetryPolicy or a list of them, not 3"),
        (lambda: task(double, retry_policy=[WRONG]), "RetryPolicy or a list of them, not 3"),
    ],
)
def test_it_is_refused(made: Callable[[], Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        made()
