"""连续拨打47次、变换投诉理由: one matter and its genuinely new facets; every call answered; nobody else waits for it."""

from datetime import timedelta

from tests.harness.town import Town, principal, report

CALLER = {"name": "赵六", "phone": "13900000047"}
RENTAL = {"object": "顺达租车公司"}


async def test_forty_seven_calls_with_changing_reasons(a_town: Town) -> None:
    categories = a_town.services.cities.current.categories
    plain = [
        c for c in categories if c.branch == "subject" and c.kin and c.routes != "by_place" and c.urgency == "ordinary"
    ]
    reasons = list({c.kin: c for c in plain if not (c.restricted or c.no_merge)}.values())[:3]
    told, numbers = [], []
    for nth in range(47):
        reason = reasons[nth % 3]
        status, answer = await a_town.send(
            report(
                category=reason.code,
                text=f"第{nth}次来电：{reason.name}，要求马上处理",
                about=RENTAL,
                caller=CALLER,
                location=None,
            )
        )
        assert status == 201
        told.append(answer)
        numbers.append(answer["case_no"])
        a_town.clock.travel(timedelta(minutes=20))
    cases = await a_town.rows("SELECT * FROM cases ORDER BY id")
    assert len(cases) == 3  # the contract and two facets that are really others
    assert [answer["match"]["verdict"] for answer in told[:3]] == ["new", "facet", "facet"]
    assert {answer["match"]["verdict"] for answer in told[3:]} == {"repeat"}
    assert all(answer["progress"]["state"] for answer in told[3:])
    assert await a_town.value("SELECT count(*) FROM case_events WHERE type = 'attached'") == 44
    dispatched = await a_town.rows("SELECT count(*) AS n FROM case_events WHERE type = 'dispatched' GROUP BY case_id")
    assert {row["n"] for row in dispatched} == {1}
    assert {(case["people"], case["urgency"]) for case in cases} == {(1, "ordinary")}
    # The unit is told of the first repeat at once, and of the rest in one notice a window.
    assert await a_town.value("SELECT count(*) FROM notices WHERE topic = 'reminder'") <= 3 * 5
    await a_town.send(report(category="E0502", text="煤气味", location={"lon": 116.21, "lat": 33.13}))
    _, page = await a_town.get("/cases?limit=200", principal("supervisor", "supervision"))
    ranks = {row["case_no"]: row["rank"] for row in await a_town.rows("SELECT case_no, rank FROM cases")}
    urgent = next(row["case_no"] for row in page["items"] if row["case_no"] not in numbers)
    assert all(ranks[urgent] > ranks[number] for number in set(numbers))


async def test_a_repeat_past_the_limit_is_supervised_once(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=CALLER))
    a_town.clock.travel(timedelta(days=3))
    await a_town.fire()
    for _ in range(5):
        await a_town.send(report(caller=CALLER))
    number = first["case_no"]
    events = await a_town.rows(
        "SELECT type FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1", number
    )
    assert [row["type"] for row in events].count("supervision_started") == 1


async def test_what_was_refused_is_looked_at_by_a_person_when_it_comes_again(a_town: Town) -> None:
    """合同纠纷: a conclusive answer stands on the case, and a later call is shown it instead of going round again."""
    from tests.integration.casework.people import OPERATOR
    from tests.integration.casework.walks import desk_call

    made = report(category=None, text="租车合同纠纷要求退押金", about=RENTAL, caller=CALLER, location=None)
    status, _ = await desk_call(a_town, OPERATOR, report=made, action="reject", body={"reason_code": "litigation"})
    assert status == 201
    refused = await a_town.value("SELECT case_no FROM cases")
    again = report(category=None, text="租车合同纠纷还是要退押金", about=RENTAL, caller=CALLER, location=None)
    _, answer = await a_town.send(again)
    assert answer["case_no"] != refused
    assert (answer["match"]["suggested"], answer["match"]["case_no"]) == (True, refused)
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", refused) == "rejected"
