"""Repeats (催单): the unit is told at once, then in one notice a window; what is overdue is supervised once a round."""

from datetime import timedelta

from tests.harness.town import Town, report
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import CITIZEN, staffed
from tests.integration.casework.walks import elsewhere


async def notices(town: Town, number: str, topic: str) -> list[str]:
    """Bodies of a case's notices of one topic in the inboxes of drainage's handler and the supervisor."""
    rows = await town.rows(
        "SELECT n.recipient, n.body->>'calls' AS calls FROM notices n JOIN cases c ON c.id = n.case_id"
        " WHERE c.case_no = $1 AND n.topic = $2 AND n.medium = 'inbox' ORDER BY n.event_seq, n.recipient",
        number,
        topic,
    )
    return [f"{row['recipient'].removeprefix('account:')} {row['calls']}" for row in rows]


async def test_repeats_inside_a_window_are_one_notice_after_it(a_town: Town) -> None:
    await staffed(a_town)
    place = elsewhere()
    _, first = await a_town.send(report(caller=CITIZEN, location=place, assigned_unit=None))
    for _ in range(4):
        _, answer = await a_town.send(report(caller=CITIZEN, location=place))
        assert (answer["outcome"], answer["case_no"]) == ("attached", first["case_no"])
    assert await notices(a_town, first["case_no"], "reminder") == ["w1 1"]
    before = answer["priority"]
    await a_town.rows(
        "UPDATE cases SET reminded_at = reminded_at - interval '10 days' WHERE case_no = $1", first["case_no"]
    )
    _, answer = await a_town.send(report(caller=CITIZEN, location=place))
    assert await notices(a_town, first["case_no"], "reminder") == ["w1 1", "w1 4"]
    assert answer["priority"]["people"] == before["people"]


async def test_what_is_overdue_is_supervised_once(a_town: Town) -> None:
    await staffed(a_town)
    place = elsewhere()
    _, first = await a_town.send(report(caller=CITIZEN, location=place))
    a_town.clock.travel(timedelta(days=20))
    for _ in range(3):
        await a_town.send(report(caller=CITIZEN, location=place))
    assert (await events_of(a_town, first["case_no"])).count("supervision_started") == 1
    told = await notices(a_town, first["case_no"], "supervision")
    assert sorted(told) == ["h1 None", "sup None", "w1 None"]
