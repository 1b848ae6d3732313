"""The time of a clock as it is explained: stretches that add up to the limit, and one traffic light."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.harness.town import START, Town, principal, report

SUPERVISOR = principal("supervisor", "supervision")
LAMP = {"category": "S090401", "text": "路灯不亮"}


async def explained(at: Town, case_no: str) -> dict[str, Any]:
    status, answer = await at.get(f"/cases/{case_no}/deadlines/explain", SUPERVISOR)
    assert status == 200, answer
    return {each["clock"]: each for each in answer["deadlines"]}


async def test_every_stretch_is_named_and_what_counts_adds_up_to_the_limit(a_town: Town) -> None:
    _, answer = await a_town.send(report(**LAMP))
    close = (await explained(a_town, answer["case_no"]))["close"]
    slices = close["slices"]
    assert (close["limit_text"], close["mode"], sum(each["days"] for each in slices)) == ("5wd", "day_end", 5)
    assert datetime.fromisoformat(slices[0]["start"]) == datetime.fromisoformat(close["started_at"]) == START
    assert datetime.fromisoformat(slices[-1]["end"]) == datetime.fromisoformat(close["due_at"])
    assert [each["end"] for each in slices[:-1]] == [each["start"] for each in slices[1:]]
    assert [(each["kind"], each["counted"], each["name"]) for each in slices] == [
        ("receipt_day", False, "受理当日，不计入"),
        ("worked", True, "工作时间"),
        ("worked", True, "工作时间"),
        ("weekend", False, "周末"),
        ("worked", True, "工作时间"),
        ("worked", True, "工作时间"),
        ("worked", True, "工作时间"),
    ]


async def test_the_light_turns_with_the_share_of_the_limit_that_is_used(a_town: Town) -> None:
    _, answer = await a_town.send(report())
    number = answer["case_no"]
    close = (await explained(a_town, number))["close"]
    due = datetime.fromisoformat(close["due_at"]).astimezone(UTC)
    seen = {}
    for share in (0.0, 0.79, 0.81, 1.0, 1.01):
        a_town.clock.at = START + (due - START) * share
        seen[share] = (await explained(a_town, number))["close"]["light"]
    assert seen == {0.0: "green", 0.79: "green", 0.81: "yellow", 1.0: "yellow", 1.01: "red"}


async def test_a_clock_that_was_stopped_keeps_its_light_and_a_given_limit_has_no_stretches(a_town: Town) -> None:
    relay = principal("replayer", "hotline", channels=frozenset({"history"}))
    due = START + timedelta(hours=6)
    _, answer = await a_town.send(
        report(channel="history", received_at=START.isoformat(), due_at=due.isoformat()), relay
    )
    a_town.clock.travel(timedelta(days=2))
    clocks = await explained(a_town, answer["case_no"])
    assert (clocks["close"]["slices"], clocks["close"]["light"]) == ([], "red")
    assert clocks["dispatch"]["light"] == "green"
