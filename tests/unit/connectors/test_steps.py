"""Fewer batches than moments, and yet every report finds open what was open when it came in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.history.account import Answer
from connectors.history.replay import replay
from connectors.history.rows import HistoryRow
from connectors.history.steps import steps

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
STREET_M = 150.0
DEGREE_M = 111_320.0
BLOCKS = st.one_of(st.none(), st.integers(0, 60))
ROWS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(-5, 200), BLOCKS, st.sampled_from(["", "a", "b"])), max_size=60
)


def row(number: int, opened_s: int, lasts_s: int, block: int | None, caller: str) -> HistoryRow:
    at = START + timedelta(seconds=opened_s)
    report: dict[str, Any] = {"channel": "h", "external_id": str(number), "received_at": at.isoformat(), "text": "x"}
    if block is not None:
        report["location"] = {"lon": 116.0 + block * 100 / DEGREE_M, "lat": 40.0}
    if caller:
        report["caller"] = {"name": caller}
    return HistoryRow(number, report, at, at + timedelta(seconds=lasts_s))


class Street:
    """Attaches a report to the oldest open case within 150 m, of the same caller, or without a point as it is."""

    def __init__(self) -> None:
        self.open: dict[str, dict[str, Any]] = {}
        self.joined: dict[str, str] = {}

    async def submit(self, reports: Sequence[dict[str, Any]]) -> Sequence[Answer]:
        return [self._take(report) for report in reports]

    def _take(self, report: dict[str, Any]) -> Answer:
        number = report["external_id"]
        found = next((other for other in sorted(self.open, key=int) if self._akin(report, self.open[other])), None)
        self.joined[number] = found or number
        if found is None:
            self.open[number] = report
        return {"status": 201, "body": {"outcome": "attached" if found else "opened", "lead_unit": "u"}}

    @staticmethod
    def _akin(one: dict[str, Any], other: dict[str, Any]) -> bool:
        if one.get("caller") and one.get("caller") == other.get("caller"):
            return True
        here, there = one.get("location"), other.get("location")
        if here is None or there is None:
            return here is there
        return bool(abs(here["lon"] - there["lon"]) * DEGREE_M * 0.766 <= STREET_M)

    async def close(self, items: Sequence[tuple[str, str, datetime]]) -> Sequence[Answer]:
        for _, number, _ in items:
            self.open.pop(number, None)
        return [{"status": 200, "body": {}} for _ in items]


async def one_by_one(rows: Sequence[HistoryRow]) -> dict[str, str]:
    """What becomes of each row when every moment is sent alone, in its order."""
    street = Street()
    moments = [(r.received_at, 0, r) for r in rows] + [(r.settled_at, 1, r) for r in rows]
    for _, closes, one in sorted(moments, key=lambda m: (m[0] or START, m[1], m[2].line)):
        key = one.report["external_id"]
        if not closes:
            await street.submit([one.report])
        elif street.joined[key] == key:
            await street.close([("h", key, START)])
    return street.joined


@given(ROWS)
async def test_batches_give_what_one_row_after_the_other_gives(told: list[tuple[int, int, int | None, str]]) -> None:
    rows = [row(number, *values) for number, values in enumerate(sorted(told, key=lambda values: values[0]))]
    street = Street()
    await replay(rows, street, advance=lambda _: None)
    assert street.joined == await one_by_one(rows)


def test_rows_far_apart_share_their_batches() -> None:
    rows = [row(number, number * 10, 5, number * 20, "") for number in range(100)]
    assert [(step.act, len(step.rows)) for step in steps(rows, None)] == [("open", 100), ("close", 100)]


def test_a_closing_parts_two_reports_of_one_place() -> None:
    rows = [row(0, 0, 5, 0, ""), row(1, 10, 5, 0, "")]
    assert [step.act for step in steps(rows, None)] == ["open", "close", "open", "close"]
