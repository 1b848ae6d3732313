"""Boston's own history of 2011 through a running service, judged on what its dispatchers did."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.history.account import Account
from connectors.history.expressions import slug
from dispatch.city.categories import Category
from dispatch.city.model import City
from dispatch.city.read import read_city
from dispatch.cli_feed import replay_file
from dispatch.intake.route import Route
from tests.acceptance.boston import build_city, has_point, look_up, read_rows, split, write_rows
from tests.acceptance.service import accounted, counts, key_of, serving, shared, show
from tests.harness.town import START, Town

ROWS = 31_828
CLOSED = 30_081
LEAST_ROUTED = 0.90
LEAST_RIGHT = 0.85
SLICE = 500
MONTH = timedelta(days=31)
Row = Mapping[str, str]


async def units_of(at: Town) -> dict[str, str | None]:
    """By external id the lead unit, given by a rule of the duty book, of the case that the row is in."""
    found = await at.rows(
        "SELECT k.external_id, a.unit, a.route->>'rule' AS rule FROM report_keys k JOIN cases c ON c.id = k.case_id "
        "LEFT JOIN assignments a ON a.id = c.lead_assignment_id WHERE k.channel = 'history'"
    )
    return {row["external_id"]: row["unit"] if (row["rule"] or "").startswith("R") else None for row in found}


def share_routed(rows: Sequence[Row], units: Mapping[str, str | None]) -> float:
    """Share of rows whose case has a lead unit by a rule."""
    return sum(units[row["case_enquiry_id"]] is not None for row in rows) / len(rows)


def share_right(rows: Sequence[Row], units: Mapping[str, str | None]) -> float:
    """Share of rows whose case went to the queue that the city's dispatchers chose; one that nobody has is wrong."""
    return sum(units[row["case_enquiry_id"]] == slug(row["queue"]) for row in rows) / len(rows)


async def test_boston_goes_through_the_front_door(
    database_url: str, redis_url: str, tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    history = shared(pytestconfig, "boston/cases.csv.gz")
    mapping = pytestconfig.rootpath / "config" / "mappings" / "boston.toml"
    rows = read_rows(history)
    build_city(rows, tmp_path / "city")
    assert read_city(tmp_path / "city")[1] == []
    async with serving(database_url, redis_url, tmp_path / "city") as at:
        key = await key_of(at, "history", "replayer")
        began = time.monotonic()
        account = await replay_file(history, mapping, at.url, key, fast=True)
        took = time.monotonic() - began
        account.balance()
        assert (account.read, account.closed_rows) == (ROWS, CLOSED)
        assert account.outcomes.total() == ROWS
        assert await accounted(at, "history") == (ROWS, ROWS, 0)

        units = await units_of(at)
        _, judged = split(rows)
        placed, judged_placed = ([row for row in some if has_point(row)] for some in (rows, judged))
        figures = {
            "reports a second": ROWS / took,
            **{name: count / ROWS for name, count in account.outcomes.items()},
            "suggested": account.suggested / ROWS,
            "routed, rows with a point": share_routed(placed, units),
            "first choice right, last 20 % with a point": share_right(judged_placed, units),
            "look-up by given district, the same rows": look_up(split(rows)[0], judged_placed),
            "first choice right, last 20 %": share_right(judged, units),
            "look-up by given district, last 20 %": look_up(split(rows)[0], judged),
        }
        with capsys.disabled():
            show("Boston", figures)
        assert share_routed(placed, units) >= LEAST_ROUTED
        assert share_right(judged_placed, units) >= LEAST_RIGHT

        await assert_nothing_acts_on(at, account)
        before = await counts(at)
        at.clock.travel(MONTH)
        again = await replay_file(history, mapping, at.url, key, fast=True)
        assert (again.already, again.closings) == (ROWS, account.closings)
        assert await counts(at) == before


async def assert_nothing_acts_on(at: Town, account: Account) -> None:
    """Closings are replayed; what was due in the past is on record, and nobody is told."""
    assert await at.value("SELECT count(*) FROM cases WHERE closed_at IS NOT NULL") == account.closings["closed"]
    late = "SELECT count(*) FROM deadlines WHERE due_at < $1 AND started_at < $1"
    past = await at.value(f"{late} AND clock <> 'review'", START)
    assert past > account.outcomes["opened"]
    assert await at.value(f"{late} AND clock <> 'review' AND status = 'running'", START) == 0
    assert await at.value("SELECT count(*) FROM deadlines WHERE status = 'missed' AND NOT historic") == 0
    assert await at.fire() == 0
    assert await at.value("SELECT count(*) FROM escalations") == 0
    assert await at.value("SELECT count(*) FROM notices") == 0


def first_unit(category: Category, areas: tuple[str, ...], city: City, *_: object) -> Route:
    """A router that is no router."""
    return Route(next(unit.code for unit in city.units if unit.kind == "department"), (), "R00000", ())


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "router returns the first unit"])
async def test_the_measure_turns_red_when_the_router_returns_the_first_unit(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    broken: bool,
) -> None:
    rows = read_rows(shared(pytestconfig, "boston/cases.csv.gz"))
    mapping = pytestconfig.rootpath / "config" / "mappings" / "boston.toml"
    build_city(rows, tmp_path / "city")
    some = [row for row in split(rows)[1] if has_point(row)][:SLICE]
    write_rows(tmp_path / "slice.csv.gz", some)
    if broken:
        monkeypatch.setattr("dispatch.intake.route.by_book", first_unit)
    async with serving(database_url, redis_url, tmp_path / "city") as at:
        key = await key_of(at, "history", "replayer")
        account = await replay_file(tmp_path / "slice.csv.gz", mapping, at.url, key, fast=True)
        assert account.outcomes.total() == SLICE
        assert (share_right(some, await units_of(at)) < LEAST_RIGHT) is broken
        await assert_nothing_acts_on(at, account)
        before = await counts(at)
        again = await replay_file(tmp_path / "slice.csv.gz", mapping, at.url, key, fast=True)
        assert again.already == SLICE
        assert await counts(at) == before
