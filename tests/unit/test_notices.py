"""What lasts is looked at by one of those who wait, and said once."""

from __future__ import annotations

from workers.shared.notices import LOOK_EVERY, SAY_EVERY, Notice


def test_one_of_many_looks() -> None:
    notice = Notice()
    assert [notice.takes_look(100.0) for _ in range(150)] == [True] + [False] * 149


def test_somebody_looks_again_later() -> None:
    notice = Notice()
    assert notice.takes_look(0.0)
    assert not notice.takes_look(LOOK_EVERY - 0.1)
    assert notice.takes_look(LOOK_EVERY)
    assert not notice.takes_look(2 * LOOK_EVERY - 0.1)


def test_what_is_seen_is_news_once() -> None:
    notice = Notice()
    assert [notice.is_news({"a"}, float(second)) for second in range(3)] == [True, False, False]


def test_another_sight_is_news_at_once() -> None:
    notice = Notice()
    seen = [set[str](), {"a"}, {"a"}, set[str]()]
    assert [notice.is_news(each, 0.0) for each in seen] == [True, True, False, True]


def test_the_same_is_said_again_after_a_while_and_then_not_sooner() -> None:
    notice = Notice()
    moments = (0.0, SAY_EVERY - 1, SAY_EVERY, SAY_EVERY + 1, 2 * SAY_EVERY)
    assert [notice.is_news("same", at) for at in moments] == [True, False, True, False, True]
