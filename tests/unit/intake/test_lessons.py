"""What matching learns from people: bounded, explained, and never an attachment by itself."""

from typing import Any

import pytest

from dispatch.intake.lessons import Teacher, pair


class Rows:
    """A database that has these decisions."""

    def __init__(self, *rows: tuple[str, str, int, int]) -> None:
        self.rows, self.asked = rows, 0

    async def fetch(self, statement: str) -> list[dict[str, Any]]:
        self.asked += 1
        return [dict(zip(("kind_a", "kind_b", "same", "different"), row, strict=True)) for row in self.rows]


@pytest.mark.parametrize(
    ("same", "different", "learned"),
    [(0, 0, 0.0), (1, 0, 0.02), (4, 0, 0.05), (1000, 0, 0.1), (0, 1000, -0.1), (5, 5, 0.0)],
)
async def test_many_decisions_say_more_than_few_and_none_more_than_a_tenth(
    same: int, different: int, learned: float
) -> None:
    lessons = await Teacher().lessons(Rows(("A", "B", same, different)))  # type: ignore[arg-type]
    assert lessons[pair("B", "A")] == pytest.approx(learned, abs=0.001)


async def test_lessons_are_read_now_and_then_and_not_for_every_batch() -> None:
    rows, teacher = Rows(("A", "B", 1, 0)), Teacher()
    for _ in range(5):
        await teacher.lessons(rows)  # type: ignore[arg-type]
    assert rows.asked == 1


def test_a_kind_that_nobody_knows_has_its_place_too() -> None:
    assert pair(None, "E01") == ("E01", "none") == pair("E01", None)
