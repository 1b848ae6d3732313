"""What history proposes where the duty book is silent: possible units only, with confidence, lowered by returns, dispatched by nobody."""

from functools import cache
from typing import Any

from dispatch.intake.shares import Row
from dispatch.intake.units import UnitModel
from dispatch.learning.routing import fit
from tests.harness.town import Town, principal, report
from tests.integration.learning.models import model, put

DISPATCHER, SUPERVISOR = principal("dispatcher", "dispatch"), principal("supervisor", "supervision")
# Who had water on the road before, of every twenty cases; one of them is no unit of the city, one is named in words.
SHARES = {"drainage": 9, "emergency": 5, "closed-long-ago": 4, "市公安局交通警察支队": 2}


@cache
def learned() -> UnitModel:
    """Cases of two kinds."""
    rows: list[Row] = []
    for n in range(240):
        unit = [name for name, share in SHARES.items() for _ in range(share)][n * 7 % 20]
        day = f"2026-{1 + n // 28:02}-{1 + n % 28:02}"
        rows.append({"category": "E0506", "channel": "demo", "unit": unit, "day": day})
        rows.append({"category": "E0126", "channel": "demo", "unit": "ecology", "day": day})
    return fit(rows, ("category", "channel"), "unit", "day")


async def taught(town: Town) -> str:
    version = await put(town.database_url, model("units", learned().packed()))
    await town.services.models.refresh(town.services.pool)
    return version


async def without_place(town: Town, **fields: Any) -> str:
    """A case of a kind that is routed by place, without one: the duty book is silent."""
    status, answer = await town.send(report(location=None, **fields))
    assert (status, answer["outcome"]) == (201, "triage")
    number: str = answer["case_no"]
    return number


async def proposal(town: Town, number: str) -> dict[str, Any]:
    status, answer = await town.get(f"/cases/{number}/proposal", DISPATCHER)
    assert status == 200
    found: dict[str, Any] = answer
    return found


async def units(town: Town, number: str) -> dict[str, float]:
    return {each["unit"]: each["confidence"] for each in (await proposal(town, number))["by_history"]["units"]}


async def test_where_the_book_is_silent_history_proposes_and_nobody_is_given_the_case(a_town: Town) -> None:
    version = await taught(a_town)
    number = await without_place(a_town)
    answer = await proposal(a_town, number)
    assert (answer["lead"], answer["rule"]) == (None, "no_place")
    found = answer["by_history"]
    assert found["version"] == version
    assert found["asked"] == {"category": "E0506", "channel": "demo"}
    named = [each["unit"] for each in found["units"]]
    assert named[:3] == ["drainage", "emergency", "traffic-police"]
    assert [each["confidence"] for each in found["units"]] == sorted(
        (e["confidence"] for e in found["units"]), reverse=True
    )
    assert ("closed-long-ago", "no_such_unit") in [(each["unit"], each["why"]) for each in found["left_out"]]
    _, explained = await a_town.get(f"/cases/{number}/explain", SUPERVISOR)
    assert explained["by_history"] == found
    assert await a_town.value("SELECT count(*) FROM assignments") == 0


async def test_where_a_rule_speaks_history_does_not(a_town: Town) -> None:
    await taught(a_town)
    _, sent = await a_town.send(report())
    answer = await proposal(a_town, sent["case_no"])
    assert (answer["rule"], answer["by_history"]) == ("R035", None)


async def test_without_a_model_nothing_is_proposed(a_town: Town) -> None:
    assert (await proposal(a_town, await without_place(a_town)))["by_history"] is None


async def test_a_unit_complained_about_is_never_proposed(a_town: Town) -> None:
    await taught(a_town)
    number = await without_place(a_town, about={"unit": "water-affairs"})
    found = (await proposal(a_town, number))["by_history"]
    assert "drainage" not in [each["unit"] for each in found["units"]]
    assert ("drainage", "complained_about") in [(each["unit"], each["why"]) for each in found["left_out"]]


async def test_a_return_lowers_the_proposal_at_once_for_that_kind_and_for_thirty_days(a_town: Town) -> None:
    await taught(a_town)
    wrong, other = await without_place(a_town), await without_place(a_town, text="另一处路面被淹，请尽快处理")
    before = await units(a_town, other)
    assert (await a_town.act(wrong, "dispatch", DISPATCHER, unit="drainage"))[0] == 200
    handler = principal("handler", "drainage")
    given: dict[str, Any] = {"reason_code": "not_our_duty", "unit": "emergency", "note": "不归我们"}
    assert (await a_town.act(wrong, "return", handler, **given))[0] == 200
    answer = (await proposal(a_town, other))["by_history"]["units"]
    after = {each["unit"]: each["confidence"] for each in answer}
    assert (
        after["drainage"] == round(before["drainage"] / 2, 4) or abs(after["drainage"] - before["drainage"] / 2) < 1e-3
    )
    assert after["emergency"] == before["emergency"]
    assert answer[0]["unit"] == "emergency"
    lowered = next(each for each in answer if each["unit"] == "drainage")
    assert "gave such a case back once in 30 days" in lowered["reasons"][1]
    # The one that returned it is not proposed for this case at all.
    assert "drainage" not in await units(a_town, wrong)
    ecology = await without_place(a_town, category="E0126")
    assert len((await proposal(a_town, ecology))["by_history"]["units"][0]["reasons"]) == 1
    await a_town.rows(
        "UPDATE assignments SET ended_at = ended_at - interval '31 days', dispatched_at = dispatched_at - interval '31 days'"
    )
    assert await units(a_town, other) == before
