"""What operators rely on: health, readiness, figures, documentation, and that everything automatic can be switched off."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.town import DEMO, REPLY, START, Town, archive, load_city, principal, report, town
from tests.integration.casework.bodies import GOOD

SWITCHES = ("locate", "classify", "match", "route", "unsuited")
LABELS = {"method", "route", "status", "outcome", "clock", "level", "medium", "result", "type", "le", "pid"}


async def get(town: Town, path: str) -> tuple[int, str]:
    async with town.http.get(town.url + path) as answer:
        return answer.status, await answer.text()


async def test_it_is_alive_and_ready_until_the_partition_of_next_month_is_missing(a_town: Town) -> None:
    assert (await get(a_town, "/healthz"))[0] == 200
    assert (await get(a_town, "/readyz"))[0] == 200
    following = f"{START.year + START.month // 12}_{START.month % 12 + 1:02}"
    await a_town.rows(f"DROP TABLE case_events_{following}")
    status, body = await get(a_town, "/readyz")
    assert (status, '"partitions":"failed"' in body) == (503, True)
    assert (await get(a_town, "/healthz"))[0] == 200


async def test_without_redis_it_is_ready_but_says_that_it_is_degraded(database_url: str) -> None:
    async with town(database_url, None) as degraded:
        status, body = await get(degraded, "/readyz")
        assert (status, '"status":"degraded"' in body) == (200, True)
        assert (await degraded.send(report()))[0] == 201


async def test_figures_can_be_read_and_their_labels_are_codes(a_town: Town) -> None:
    await a_town.send(report(caller={"name": "市民", "phone": "19900000077"}, text="电话19900000077"))
    await get(a_town, "/api/v1/reports/19900000077")
    status, text = await get(a_town, "/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {"dispatch_requests", "dispatch_reports", "dispatch_deadlines_late_seconds"} <= families.keys()
    samples = [sample for family in families.values() for sample in family.samples]
    assert {name for sample in samples for name in sample.labels} <= LABELS
    values = {value for sample in samples for name, value in sample.labels.items() if name not in ("le", "pid")}
    assert not [value for value in values if re.search(r"\d{7}|[\u4e00-\u9fff]", value)]
    assert any(sample.name == "dispatch_reports_total" and sample.value == 1 for sample in samples)


async def test_the_documentation_is_served_and_names_every_operation(a_town: Town) -> None:
    async with a_town.http.get(f"{a_town.url}/openapi.json") as answer:
        document = await answer.json()
    assert document["openapi"].startswith("3.1")
    status, page = await get(a_town, "/docs")
    assert status == 200
    assert [path for path in document["paths"] if path not in page] == []


@pytest.fixture(scope="session")
def by_hand_cities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Archives of the demo city with one automatic step switched off, and with all of them."""
    made = {}
    for name in (*SWITCHES, "all"):
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(DEMO.parent, folder / "city")
        settings = folder / "city" / DEMO.name / "city.toml"
        text = settings.read_text("utf-8")
        for switch in SWITCHES if name == "all" else (name,):
            text, count = re.subn(rf"(?m)^{switch} = true$", f"{switch} = false", text)
            assert count == 1
        settings.write_text(text, "utf-8")
        made[name] = archive(settings.parent)
    return made


@pytest.fixture(params=[*SWITCHES, "all"])
async def a_town_by_hand(
    request: pytest.FixtureRequest, by_hand_cities: dict[str, bytes], database_url: str, redis_url: str
) -> AsyncIterator[tuple[str, Town]]:
    await load_city(database_url, by_hand_cities[request.param])
    async with town(database_url, redis_url, loaded=True) as made:
        yield request.param, made


async def test_with_an_automatic_step_switched_off_the_main_job_passes_by_hand(
    a_town_by_hand: tuple[str, Town],
) -> None:
    off, town = a_town_by_hand
    caller = {"name": "市民", "phone": "19900000001"}
    status, first = await town.send(report(caller=caller))
    status, second = await town.send(report(caller=caller))
    assert status == 201
    if off in ("match", "all"):
        assert second["case_no"] != first["case_no"]
    if off in ("classify", "route", "all"):
        assert (first["state"], first.get("lead_unit")) == ("triage", None)
    number, lead = first["case_no"], first.get("lead_unit")
    if first["state"] == "triage":
        lead = "drainage"
        await done(town, number, "dispatch", "dispatcher", "dispatch", unit=lead, category="E0506")
    assert lead is not None
    await done(town, number, "sign", "handler", lead)
    await done(town, number, "reply", "handler", lead, **REPLY)
    await done(town, number, "approve", "reviewer", "dispatch")
    after = await done(town, number, "close", "followup", "hotline", **GOOD)
    assert after["state"] == "closed"


async def done(town: Town, case_no: str, action: str, role: str, works_at: str, **body: Any) -> Any:
    """The answer of an action that succeeds."""
    status, answer = await town.act(case_no, action, principal(role, works_at), **body)
    assert status == 200, answer
    return answer


def test_the_demo_city_has_every_switch_on() -> None:
    text = Path(DEMO, "city.toml").read_text("utf-8")
    assert all(f"\n{switch} = true\n" in text for switch in SWITCHES)
