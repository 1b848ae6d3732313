"""Who reads which figures, how they add up over units and areas, and the monthly report."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from dispatch.insight.monthly import period
from tests.harness.town import Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.people import HEAD, WHO
from tests.integration.casework.walks import brought, elsewhere
from tests.integration.indicators.keeping import PERIOD, SUPERVISOR, counted, figures, of, remade

ABOVE = principal("unit_head", "water-affairs")
STREET = principal("supervisor", "s-990101001")
STRANGER = principal("unit_head", "gas")


async def a_few(town: Town) -> list[str]:
    """Cases of two units, some done, one returned."""
    numbers = []
    for state in ("closed", "closed", "returned", "handling", "to_sign"):
        numbers.append(await brought(town, state, location=elsewhere()))
    _, answer = await town.send(
        report(location=elsewhere(), assigned_unit="gas", category="E0110", text="燃气井盖松动")
    )
    numbers.append(answer["case_no"])
    await counted(town)
    return numbers


async def page(town: Town, query: str, who: Any = SUPERVISOR) -> dict[str, Any]:
    status, found = await town.get(f"/stats/indicators?{query}&{PERIOD}", who)
    assert status == 200, found
    return {item["key"]: item["figures"] for item in found["items"]} | {"": found["summary"]}


async def test_a_unit_is_shown_with_what_is_below_it(a_town: Town) -> None:
    await a_few(a_town)
    found = await page(a_town, "dimension=unit&indicator=return_rate&indicator=tasks_in")
    drainage, above, gas = (found[unit][0] for unit in ("drainage", "water-affairs", "gas"))
    assert of(drainage) == of(above) == (1, 5)
    assert of(gas) == (0, 1)
    assert of(found["city"][0]) == (1, 6)
    assert of((await figures(a_town, "unit", "water-affairs"))["return_rate"]) == (1, 5)
    assert of((await figures(a_town))["return_rate"]) == (1, 6)


async def test_a_page_is_summed_up_both_ways_and_both_are_named(a_town: Town) -> None:
    await a_few(a_town)
    (row,) = (await page(a_town, "dimension=unit&indicator=return_rate"))[""]
    # One of five in one unit and none of one in the other: a sixth together, a tenth on average.
    assert row["pooled"]["value"] == pytest.approx(1 / 6, abs=1e-6)
    assert row["mean_of_rates"] == pytest.approx((1 / 5 + 0) / 2)


async def test_a_unit_reads_itself_and_what_is_below_it_and_nothing_else(a_town: Town) -> None:
    await a_few(a_town)
    assert set(await page(a_town, "dimension=unit&indicator=return_rate", HEAD)) == {"", "drainage"}
    assert {"drainage", "water-affairs"} <= set(await page(a_town, "dimension=unit&indicator=return_rate", ABOVE))
    assert of((await figures(a_town, "unit", "drainage", ABOVE))["return_rate"]) == (1, 5)
    for who, unit, status in (
        (STRANGER, "drainage", 404),
        (HEAD, "water-affairs", 404),
        (HEAD, "nobody", 404),
        (HEAD, "drainage", 200),
    ):
        assert (await a_town.get(f"/stats/indicators?dimension=unit&key={unit}&{PERIOD}", who))[0] == status
        assert (await a_town.get(f"/stats/monthly?unit={unit}&month=2026-11", who))[0] == status
        url = f"{a_town.url}/api/v1/stats/monthly.csv?unit={unit}&month=2026-11"
        async with a_town.http.get(url, headers=a_town.acts_as(who)) as answer:
            assert answer.status == status
    for dimension in ("all", "category", "channel", "day"):
        asked = f"/stats/indicators?dimension={dimension}&indicator=in&{PERIOD}"
        assert (await a_town.get(asked, HEAD))[1]["field"] == "dimension"
        assert (await a_town.get(asked, SUPERVISOR))[0] == 200
    handler = principal("handler", "drainage")
    assert (await a_town.get(f"/stats/indicators?{PERIOD}", handler))[0] == 403


async def test_who_watches_over_an_area_reads_that_area(a_town: Town) -> None:
    await a_few(a_town)
    areas = a_town.services.cities.current.map.areas
    mine = await page(a_town, "dimension=area&indicator=in", STREET)
    assert all("990101001" in areas.path(area) for area in mine if area)
    other = next(code for code in areas.areas if "990101001" not in areas.path(code))
    assert (await a_town.get(f"/stats/indicators?dimension=area&key={other}&{PERIOD}", STREET))[0] == 404
    assert (await page(a_town, "dimension=area&indicator=in", HEAD)).keys() == {""}


async def test_an_area_is_the_sum_of_the_areas_in_it(a_town: Town) -> None:
    await a_few(a_town)
    for place in ({"lon": 116.16, "lat": 33.12}, {"lon": 116.235, "lat": 33.15}, {"lon": 116.19, "lat": 33.13}):
        await a_town.send(report(location=place, text="路面有积水"))
    await counted(a_town)
    areas = a_town.services.cities.current.map.areas.areas
    found = await page(a_town, "dimension=area&indicator=in&indicator=on_time_sign&indicator=return_rate")
    assert len(found) > 7
    for code, told in found.items():
        below = [found[child] for child in found if child and areas[child].parent == code]
        if below:
            sums = [
                (sum(each[nth]["numerator"] for each in below), sum(each[nth]["denominator"] or 0 for each in below))
                for nth in range(3)
            ]
            assert sums == [(each["numerator"], each["denominator"] or 0) for each in told], code


async def test_by_day_the_balance_runs_on(a_town: Town) -> None:
    numbers = [await brought(a_town, "followup", location=elsewhere())]
    a_town.clock.travel(timedelta(days=1))
    numbers.append(await brought(a_town, "to_sign", location=elsewhere()))
    assert (await a_town.act(numbers[0], "close", WHO["close"], **BODY["close"]))[0] == 200
    await counted(a_town)
    found = await page(a_town, "dimension=day&indicator=in&indicator=out&indicator=open")
    told = {day: [each["value"] for each in row] for day, row in found.items() if day}
    assert told == {"2026-11-18": [1, 0, 1], "2026-11-19": [1, 1, 1]}
    later = await a_town.get(
        "/stats/indicators?dimension=day&indicator=open&indicator=in&from=2026-11-19&to=2026-11-30", SUPERVISOR
    )
    assert [each["value"] for each in later[1]["items"][0]["figures"]] == [1, 1]


async def test_a_restricted_case_is_counted_where_nobody_can_tell_which_it_is(a_town: Town) -> None:
    _, answer = await a_town.send(report(category="S030502", text="有人拉人头传销", location=elsewhere()))
    unit, area = await a_town.value("SELECT owner_unit || ' ' || coalesce(area, '-') FROM cases"), "990101"
    assert await a_town.value("SELECT restricted FROM cases"), answer
    assert of((await figures(a_town))["in"]) == (1, None)
    places = {(row["dimension"], row["key"]) for row in await a_town.rows("SELECT dimension, key FROM figures")}
    assert {dimension for dimension, _ in places} == {"all", "area"}, (unit, places)
    levels = a_town.services.cities.current.map.areas.areas
    assert all(levels[key].level <= 2 for dimension, key in places if dimension == "area")
    assert area[:4] in {key for _, key in places}


async def test_the_month_of_a_unit_is_the_same_from_what_is_kept_and_from_the_events(a_town: Town) -> None:
    await a_few(a_town)
    query = "unit=water-affairs&month=2026-11"
    status, month = await a_town.get(f"/stats/monthly?{query}", ABOVE)
    assert status == 200, month
    told = {each["indicator"]: each for each in month["figures"]}
    assert (month["since"], month["until"], month["name"]) == ("2026-11-01", "2026-11-30", "市水务局")
    assert of(told["return_rate"]) == (1, 5)
    assert told["return_rate"]["value"] == 0.2
    assert {each["key"] for each in month["units"]} >= {"drainage", "water-affairs"}
    assert "gas" not in {each["key"] for each in month["units"]}
    (returns,) = [each for each in month["summary"] if each["indicator"] == "return_rate"]
    assert (of(returns["pooled"]), returns["mean_of_rates"]) == ((1, 5), 0.2)
    assert month["settings"]["weight_solved"] == 0.5
    await remade(a_town)
    assert (await a_town.get(f"/stats/monthly?{query}", ABOVE))[1] == month
    assert {
        each["numerator"]
        for each in (await a_town.get("/stats/monthly?unit=water-affairs&month=2026-09", ABOVE))[1]["figures"]
    } == {0}


async def test_the_month_as_a_table_says_the_same(a_town: Town) -> None:
    await a_few(a_town)
    url = f"{a_town.url}/api/v1/stats/monthly.csv?unit=drainage&month=2026-11"
    async with a_town.http.get(url, headers=a_town.acts_as(HEAD)) as answer:
        assert (answer.status, answer.content_type) == (200, "text/csv")
        lines = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    (own,) = [line for line in lines if line["scope"] == "unit and below" and line["indicator"] == "return_rate"]
    assert (own["指标"], own["numerator"], own["denominator"], own["value"]) == ("退单率", "1", "5", "0.2")
    assert {line["scope"] for line in lines} == {"unit and below", "pooled", "mean of rates"}
    assert all(float(line["value"] or 0) <= 1 for line in lines if line["indicator"].endswith("_rate"))


@pytest.mark.parametrize(
    ("month", "starts", "days"),
    [
        ("2026-11", 1, ("2026-11-01", "2026-11-30")),
        ("2026-12", 1, ("2026-12-01", "2026-12-31")),
        ("2026-11", 19, ("2026-10-19", "2026-11-18")),
        ("2026-01", 19, ("2025-12-19", "2026-01-18")),
        ("2026-03", 28, ("2026-02-28", "2026-03-27")),
    ],
)
def test_an_assessment_period_starts_on_the_day_that_the_city_set(
    month: str, starts: int, days: tuple[str, str]
) -> None:
    assert tuple(day.isoformat() for day in period(month, starts)) == days


async def test_every_figure_is_defined_in_both_languages(a_town: Town) -> None:
    status, found = await a_town.get("/stats/indicators/definitions", HEAD)
    assert status == 200
    assert {each["name"] for each in found} == set(await figures(a_town))
    for each in found:
        assert all(
            each[part] for part in ("zh", "en", "formula", "numerator", "denominator", "excluded", "source", "parts")
        )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("from=2020-01-01&to=2026-11-01", "to"),
        ("from=2026-11-01&to=2026-11-02&indicator=happiness", "indicator"),
        ("from=2026-11-01&to=2026-11-02&dimension=unit", "indicator"),
        ("from=2026-11-01&to=2026-11-02&dimension=weather", "dimension"),
        ("from=2026-11-01", "to"),
    ],
)
async def test_what_cannot_be_asked_is_named(a_town: Town, query: str, field: str) -> None:
    status, problem = await a_town.get(f"/stats/indicators?{query}", SUPERVISOR)
    assert (status, problem["field"]) == (400, field)
