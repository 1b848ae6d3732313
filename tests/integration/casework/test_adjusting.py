"""A desk suspends, resumes and extends the clocks of a case, and says anew what it is: always from their own start."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.town import START, Town, principal
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, SUPERVISOR
from tests.integration.casework.walks import opened

WAITING: dict[str, Any] = {"reason_code": "third_party", "note": "等待施工，已告知市民", "told": "施工结束后继续办理"}
LAMPS = principal("handler", "lighting")


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


async def handling(town: Town, **fields: Any) -> str:
    """A case of five working days, whole days, that its unit has signed: due on the next Wednesday at 18:00 in Shanghai."""
    number = await opened(town, category="S090401", text="路灯不亮", caller=CITIZEN, **fields)
    assert (await town.act(number, "sign", LAMPS))[0] == 200
    return number


async def due_of(town: Town, number: str, clock: str) -> datetime:
    due: datetime = (await clocks_of(town, number, clock))[-1]["due_at"]
    return due


async def suspend(town: Town, number: str, until: str) -> Any:
    status, answer = await town.act(number, "suspend", SUPERVISOR, **WAITING | {"until": f"{until}:00+08:00"})
    assert status == 200, answer
    return answer


async def test_what_was_left_when_a_case_was_suspended_is_left_when_it_resumes_early(a_town: Town) -> None:
    number = await handling(a_town)
    before = {clock: await due_of(a_town, number, clock) for clock in ("close", "reply")}
    a_town.clock.at = local("2026-11-18T11:00")
    assert (await suspend(a_town, number, "2026-12-18T09:00"))["state"] == "suspended"
    assert await due_of(a_town, number, "close") > local("2026-12-18T09:00")
    a_town.clock.at = local("2026-11-19T10:00")
    status, answer = await a_town.act(number, "resume", SUPERVISOR, note="已提前完工")
    assert (status, answer["state"]) == (200, "handling")
    for clock, due in before.items():
        (row,) = await clocks_of(a_town, number, clock)
        # From eleven to noon, from two to six, and from eight to ten: seven working hours.
        assert a_town.services.cities.current.calendar.worked(due, row["due_at"]) == 7 * 3600
    (resume,) = await clocks_of(a_town, number, "resume")
    assert (resume["status"], resume["stopped_at"]) == ("met", local("2026-11-19T10:00"))


async def test_a_suspended_case_goes_on_by_itself_at_the_promised_instant_however_late_it_is_noticed(
    a_town: Town,
) -> None:
    number = await handling(a_town)
    await suspend(a_town, number, "2026-11-30T09:00")
    promised = {clock: await due_of(a_town, number, clock) for clock in ("close", "reply")}
    a_town.clock.at = local("2026-11-30T08:59")
    await a_town.fire()
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", number) == "suspended"
    a_town.clock.at = local("2026-11-30T09:20")
    await a_town.fire()
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", number) == "handling"
    assert {clock: await due_of(a_town, number, clock) for clock in promised} == promised
    events = await events_of(a_town, number)
    assert events.count("resumed") == 1
    _, record = await a_town.get(f"/cases/{number}/events?limit=200", SUPERVISOR)
    (resumed,) = [event["data"] for event in record["items"] if event["type"] == "resumed"]
    assert datetime.fromisoformat(resumed["resumed_from"]) == local("2026-11-30T09:00")
    told = "SELECT recipient FROM notices WHERE topic = 'resumed'"
    assert [row["recipient"] for row in await a_town.rows(told)] == ["unit:lighting"]
    await a_town.fire()
    assert (await events_of(a_town, number)).count("resumed") == 1


async def test_nothing_fires_and_nothing_is_handled_while_a_case_is_suspended(a_town: Town) -> None:
    number = await handling(a_town)
    await suspend(a_town, number, "2027-05-06T09:00")
    version = await a_town.value("SELECT max(version) FROM assignments")
    for action, body in (
        ("reply", {"note": "x"}),
        ("contact", {"reached": True}),
        ("return", {"reason_code": "need_info", "note": "x"}),
    ):
        status, problem = await a_town.act(number, action, LAMPS, version=version, **body)
        assert status == 409, action
        assert "resume" in problem["allowed_actions"]
        assert action not in problem["allowed_actions"]
    a_town.clock.at = local("2027-02-01T09:00")
    await a_town.fire()
    fired = await a_town.rows("SELECT d.clock FROM escalations e JOIN deadlines d ON d.id = e.deadline_id")
    assert "close" not in {row["clock"] for row in fired}
    assert "reply" not in {row["clock"] for row in fired}


async def test_a_level_that_waits_to_be_acknowledged_does_not_climb_while_the_case_is_suspended(a_town: Town) -> None:
    number = await handling(a_town)
    a_town.clock.at = await due_of(a_town, number, "close") + timedelta(seconds=1)
    await a_town.fire()
    await suspend(a_town, number, "2027-01-05T09:00")
    before = await a_town.value("SELECT count(*) FROM escalations")
    a_town.clock.at = local("2027-01-05T08:59")
    await a_town.fire()
    fired = await a_town.rows(
        "SELECT d.clock FROM escalations e JOIN deadlines d ON d.id = e.deadline_id ORDER BY e.id"
    )
    # An order is about the unit and stands still for nobody.
    assert {row["clock"] for row in fired[before:]} <= {"resume", "order", "unread"}
    a_town.clock.at = local("2027-01-05T09:00")
    await a_town.fire()
    fired = await a_town.rows(
        "SELECT d.clock, e.level FROM escalations e JOIN deadlines d ON d.id = e.deadline_id ORDER BY e.id"
    )
    assert ("close", 2) in {(row["clock"], row["level"]) for row in fired[before:]}


@pytest.mark.parametrize(
    ("until", "field"),
    [(None, "until"), ("2026-11-17T09:00:00+08:00", "until"), ("2027-12-01T09:00:00+08:00", "until"), ("2026-12-01T09:00:00", "until")],
)  # fmt: skip
async def test_a_suspension_needs_a_promised_instant_within_a_year(a_town: Town, until: str | None, field: str) -> None:
    number = await handling(a_town)
    status, problem = await a_town.act(number, "suspend", SUPERVISOR, **WAITING | {"until": until})
    assert (status, problem["field"]) == (400, field), problem


async def test_a_case_may_be_suspended_again_and_each_pause_counts_once(a_town: Town) -> None:
    number = await handling(a_town)
    due = await due_of(a_town, number, "close")
    calendar = a_town.services.cities.current.calendar
    for day in (19, 20):
        a_town.clock.at = local(f"2026-11-{day}T09:00")
        await suspend(a_town, number, "2026-12-31T09:00")
        a_town.clock.at = local(f"2026-11-{day}T11:00")
        assert (await a_town.act(number, "resume", SUPERVISOR))[0] == 200
    (close,) = await clocks_of(a_town, number, "close")
    assert calendar.worked(due, close["due_at"]) == 4 * 3600
    assert [row["round"] for row in await clocks_of(a_town, number, "resume")] == [1, 2]


async def test_an_extension_moves_the_end_before_it_is_past_and_twice_at_most(a_town: Town) -> None:
    number = await handling(a_town)
    calendar = a_town.services.cities.current.calendar
    due = await due_of(a_town, number, "close")
    for _ in range(2):
        assert (await a_town.act(number, "extend", SUPERVISOR, limit="2wd", note="配件在途"))[0] == 200
    after = await due_of(a_town, number, "close")
    assert after > due
    assert calendar.worked(due, after) == 32 * 3600
    status, problem = await a_town.act(number, "extend", SUPERVISOR, limit="2wd", note="配件在途")
    assert (status, problem["field"]) == (409, "limit")
    assert (await a_town.act(number, "extend", SUPERVISOR, limit="两天", note="配件"))[1]["field"] == "limit"


async def test_an_extension_runs_as_the_limit_that_it_extends(a_town: Town) -> None:
    number = await handling(a_town)
    status, problem = await a_town.act(number, "extend", SUPERVISOR, limit="24h", note="配件在途")
    assert (status, problem["field"]) == (400, "limit")


async def test_what_is_overdue_is_not_extended(a_town: Town) -> None:
    number = await handling(a_town)
    a_town.clock.at = await due_of(a_town, number, "reply") + timedelta(minutes=1)
    await a_town.fire()
    status, problem = await a_town.act(number, "extend", SUPERVISOR, note="配件在途")
    assert (status, problem["field"]) == (409, "limit")


async def test_another_urgency_gives_every_clock_its_limit_from_its_own_start_and_keeps_what_was_suspended(
    a_town: Town,
) -> None:
    number = await handling(a_town)
    started = (await clocks_of(a_town, number, "close"))[0]["started_at"]
    a_town.clock.at = START + timedelta(minutes=30)
    await suspend(a_town, number, "2026-12-18T09:00")
    a_town.clock.at = START + timedelta(minutes=90)
    assert (await a_town.act(number, "resume", SUPERVISOR))[0] == 200
    status, _ = await a_town.act(number, "reclassify", DISPATCHER, urgency="critical", note="漏电伤人")
    assert status == 200
    for clock in ("close", "reply"):
        (row,) = await clocks_of(a_town, number, clock)
        # Two hours that run through, less the hour in which it stood still.
        assert row["limit_text"] == "2h"
        assert row["due_at"] == row["started_at"] + timedelta(hours=3)
    assert (await clocks_of(a_town, number, "close"))[0]["started_at"] == started
    assert await a_town.value("SELECT urgency FROM cases WHERE case_no = $1", number) == "critical"
    assert (await events_of(a_town, number)).count("deadline_recomputed") >= 4


async def test_levels_ahead_of_a_clock_that_ran_out_follow_the_urgency_and_no_level_fires_twice(a_town: Town) -> None:
    number = await handling(a_town)
    a_town.clock.at = await due_of(a_town, number, "close") + timedelta(minutes=1)
    await a_town.fire()
    assert (await a_town.act(number, "reclassify", DISPATCHER, urgency="critical", note="漏电伤人"))[0] == 200
    (close,) = await clocks_of(a_town, number, "close")
    assert close["status"] == "missed"
    assert close["next_at"] <= close["due_at"] + timedelta(hours=2)
    a_town.clock.at += timedelta(hours=3)
    await a_town.fire()
    twice = await a_town.rows("SELECT deadline_id, level FROM escalations GROUP BY 1, 2 HAVING count(*) > 1")
    assert not twice


async def test_what_a_superior_has_set_is_neither_suspended_nor_extended(a_town: Town) -> None:
    given = START + timedelta(days=3)
    number = await handling(a_town, due_at=given.isoformat())
    await suspend(a_town, number, "2026-12-18T09:00")
    assert await due_of(a_town, number, "close") == given


async def test_stretches_of_a_suspended_and_extended_clock_are_named_and_add_up(a_town: Town) -> None:
    number = await handling(a_town)
    a_town.clock.at = local("2026-11-19T09:00")
    await suspend(a_town, number, "2026-11-20T09:00")
    a_town.clock.at = local("2026-11-20T09:30")
    await a_town.fire()
    assert (await a_town.act(number, "extend", SUPERVISOR, limit="1wd", note="配件在途"))[0] == 200
    _, answer = await a_town.get(f"/cases/{number}/deadlines/explain", SUPERVISOR)
    (close,) = [each for each in answer["deadlines"] if each["clock"] == "close"]
    slices = close["slices"]
    assert close["adjustments"]["extensions"] == ["1wd"]
    assert {"suspended", "extended"} <= {each["kind"] for each in slices}
    (pause,) = [each for each in slices if each["kind"] == "suspended"]
    assert (pause["start"], pause["end"], pause["counted"], pause["name"]) == (
        "2026-11-19T09:00:00+08:00", "2026-11-20T09:00:00+08:00", False, "挂账，不计入",
    )  # fmt: skip
    assert [each["end"] for each in slices[:-1]] == [each["start"] for each in slices[1:]]
    assert slices[-1]["end"] == datetime.fromisoformat(close["due_at"]).astimezone(
        local("2026-01-01T00:00").tzinfo
    ).isoformat() or (datetime.fromisoformat(slices[-1]["end"]) == datetime.fromisoformat(close["due_at"]))
    assert sum(each["seconds"] for each in slices if each["kind"] == "extended") == 8 * 3600


async def test_the_light_of_a_case_in_every_list_is_that_of_its_clock_which_is_due_first(a_town: Town) -> None:
    number = await handling(a_town)
    due = await a_town.value("SELECT next_due_at FROM cases WHERE case_no = $1", number)

    async def seen() -> set[str]:
        _, listed = await a_town.get("/cases", SUPERVISOR)
        _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
        _, queue = await a_town.get("/units/lighting/queue", LAMPS)
        _, snapshot = await a_town.get("/snapshot", SUPERVISOR)
        return {listed["items"][0]["light"], case["light"], queue["items"][0]["light"], snapshot["cases"][0]["light"]}

    assert await seen() == {"green"}
    a_town.clock.at = due + timedelta(seconds=1)
    assert await seen() == {"red"}
