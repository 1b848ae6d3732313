"""Generated reports with known truth through the demo city: none lost, one case a matter, each at its unit."""

import asyncio
import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from rich.console import Console

from connectors.generator.matters import Generated
from dispatch.cli_feed import feed
from dispatch.demo import generator
from dispatch.intake.route import Route
from tests.acceptance.service import accounted, key_of, serving
from tests.harness.town import DEMO, Town

SEED = 20
REPORTS = 2_000
BURST = 500
SENDERS = 64
# Of reports of a new matter, how many may be taken for somebody else's; and of all that were attached, how many may be
# in another matter's case, most of them a caller's second trouble at the same place. Both allow about twice
# what was measured.
MOST_SWALLOWED = 0.05
MOST_FALSE_MERGES = 0.25
LEAST_RIGHT = 0.95
MOST_ASKED = 0.10
LEAST_TOGETHER = 0.6
OFFICES = {"@community": "community", "@street": "street", "@district": "district"}


class Book:
    """The demo city's duty book read by hand: rules without dates and conditions; deeper category, then deeper area."""

    def __init__(self) -> None:
        with (DEMO / "duty.csv").open(encoding="utf-8", newline="") as file:
            rules = [rule for rule in csv.DictReader(file) if not rule["condition"] and not rule["valid_from"]]
        self._rules = rules
        with (DEMO / "units.csv").open(encoding="utf-8", newline="") as file:
            self._offices = {(unit["area"], unit["kind"]): unit["code"] for unit in csv.DictReader(file)}

    def lead(self, category: str, area: str) -> str | None:
        """The unit that leads; codes of categories and of areas begin with those above them."""
        fitting = [r for r in self._rules if category.startswith(r["category"]) and area.startswith(r["area"])]
        if not fitting:
            return None
        lead = max(fitting, key=lambda r: (len(r["category"]), len(r["area"])))["lead"]
        above = [area[:length] for length in (12, 9, 6, 4)]
        return (
            next((u for a in above if (u := self._offices.get((a, OFFICES[lead])))), None) if lead in OFFICES else lead
        )


async def share_right(at: Town, reports: Iterable[Generated]) -> tuple[int, float]:
    """How many unspoiled reports with category and area opened a case, and the share whose lead is the book's."""
    book, right = Book(), []
    leads = {
        row["external_id"]: row["unit"]
        for row in await at.rows(
            "SELECT k.external_id, a.unit FROM report_keys k JOIN reports r ON r.receipt_no = k.receipt_no "
            "JOIN cases c ON c.id = k.case_id LEFT JOIN assignments a ON a.id = c.lead_assignment_id "
            "WHERE r.outcome IN ('opened', 'linked')"
        )
    }
    for generated in reports:
        told = generated.report
        area = told.get("location", {}).get("area_code")
        if told["external_id"] in leads and generated.spoiled is None and told.get("category") and area:
            wanted = book.lead(told["category"], area)
            if wanted is not None:
                right.append(leads[told["external_id"]] == wanted)
    return len(right), sum(right) / len(right)


async def test_generated_reports_become_the_cases_they_are(
    database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = list(generator(SEED, "acceptance").reports(REPORTS))
    async with serving(database_url, redis_url) as at:
        key = await key_of(at, "demo", "connector")
        judged = await feed(reports, None, at.url, key)
        with capsys.disabled():
            Console(width=200).print(judged.table())
        nothing_said = sum(generated.spoiled == "nothing_said" for generated in reports)
        refused = sum(count for (_, became), count in judged.confusion.items() if became.startswith("refused"))
        assert (judged.lost, refused) == (0, nothing_said)
        assert judged.confusion.total() == REPORTS
        assert await accounted(at, "demo") == (REPORTS - refused, REPORTS - refused, 0)
        own = Counter({key: n for key, n in judged.confusion.items() if key[0] in ("new", "topic")})
        assert sum(n for (_, became), n in own.items() if became == "attached") <= MOST_SWALLOWED * own.total()
        assert judged.false_merges <= MOST_FALSE_MERGES * judged.attached
        compared, right = await share_right(at, reports)
        assert compared > 200
        assert right >= LEAST_RIGHT


@pytest.mark.parametrize("classified", [True, False], ids=["classified", "as people tell it"])
async def test_a_burst_main_reported_by_500_people_is_one_case_with_exact_counts(
    database_url: str, redis_url: str, classified: bool
) -> None:
    """About some of those without a category a person is asked; nobody among them is lost or counted twice."""
    burst = generator(SEED, "burst").burst(BURST)
    category = burst[0].truth.category
    async with serving(database_url, redis_url) as at:
        key = await key_of(at, "demo", "connector")
        headers, lines = {"Authorization": f"Bearer {key}"}, asyncio.Semaphore(SENDERS)

        async def send(report: Mapping[str, Any]) -> dict[str, Any]:
            async with lines, at.http.post(f"{at.url}/api/v1/reports", json=report, headers=headers) as response:
                assert response.status == 201
                return dict(await response.json())

        first = await send({**burst[0].report, "category": category})
        told = [{**one.report, "category": category} if classified else one.report for one in burst[1:]]
        answers = await asyncio.gather(*map(send, told))
        attached = sum(answer["outcome"] == "attached" for answer in answers)
        asked = sum(answer["match"]["suggested"] for answer in answers)
        assert attached + asked == BURST - 1
        assert asked <= (0 if classified else MOST_ASKED * BURST)
        people = {row["case_no"]: row["people"] for row in await at.rows("SELECT case_no, people FROM cases")}
        assert (len(people), sum(people.values())) == (1 + asked, BURST)
        assert people[first["case_no"]] >= (1.0 if classified else LEAST_TOGETHER) * BURST
        assert await at.value("SELECT count(*) FROM reports") == BURST


async def test_the_measure_turns_red_when_the_router_returns_the_first_unit(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_unit(_category: object, _areas: object, city: Any, *_: object) -> Route:
        return Route(next(iter(city.units)).code, (), "R00000", ())

    monkeypatch.setattr("dispatch.intake.route.by_book", first_unit)
    reports = list(generator(SEED, "control").reports(300))
    async with serving(database_url, redis_url) as at:
        await feed(reports, None, at.url, await key_of(at, "demo", "connector"))
        assert (await share_right(at, reports))[1] < LEAST_RIGHT
