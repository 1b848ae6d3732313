"""How many cases may be flagged follows the stream: a share is never passed, the likeliest come first, a rush gets what was saved."""

import random

from hypothesis import given
from hypothesis import strategies as st

from dispatch.intake.allowance import Allowance, Share

USUAL = tuple(n / 200 for n in range(200))


def flagged(beliefs: list[float], share: Share | None = None, usual: tuple[float, ...] = USUAL) -> list[bool]:
    allowance = Allowance(share or Share(), usual)
    found = []
    for each in beliefs:
        found.append(each > allowance.asked())
        allowance.note(each, found[-1])
    return found


def drawn(many: int, seed: int = 1, low: float = 0.0) -> list[float]:
    ways = random.Random(seed)
    return [ways.uniform(low, 1) for _ in range(many)]


@given(st.lists(st.floats(0, 1), max_size=400), st.floats(0.01, 0.5))
def test_the_share_is_never_passed_at_any_moment(beliefs: list[float], most: float) -> None:
    found = flagged(beliefs, Share(most=most, usual=most, rush=50))
    for seen in range(1, len(found) + 1):
        assert sum(found[:seen]) <= most * seen + 1e-6


def test_the_usual_share_is_flagged_and_it_is_the_likeliest() -> None:
    beliefs = drawn(20_000)
    found = flagged(beliefs)
    assert 0.08 < sum(found) / len(found) < 0.1
    assert min(each for each, flag in zip(beliefs, found, strict=True) if flag) > 0.85


def test_a_month_that_is_believed_more_throughout_is_not_flagged_more() -> None:
    found = flagged([0.6 + each / 2.5 for each in drawn(30_000)], usual=USUAL)
    assert 0.08 < sum(found[15_000:]) / 15_000 < 0.1


def test_a_rush_gets_what_was_saved_and_its_likeliest_first() -> None:
    beliefs = [*drawn(15_000), *drawn(4_000, 2, low=0.92)]
    found = flagged(beliefs)
    rush, flags = beliefs[15_000:], found[15_000:]
    assert sum(flags) / len(flags) > 0.2
    high = [flag for each, flag in zip(rush, flags, strict=True) if each > 0.99]
    low = [flag for each, flag in zip(rush, flags, strict=True) if each < 0.97]
    assert sum(high) / len(high) > 0.8
    assert sum(low) / len(low) < 0.2


def test_of_what_nothing_is_believed_nothing_is_flagged() -> None:
    assert not any(flagged([0.0] * 500, usual=(0.0,)))
