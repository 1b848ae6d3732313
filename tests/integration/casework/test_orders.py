"""An order reaches somebody, is answered, accepted or sent back, and outlives whatever happens to its case."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from dispatch.people.principal import Principal
from tests.harness.town import Town, principal
from tests.integration.casework.always import examine
from tests.integration.casework.bodies import BODY, EXPLAINED
from tests.integration.casework.looking import clocks_of, events, events_of
from tests.integration.casework.people import (
    COMMANDER,
    DISPATCHER,
    FOLLOWUP,
    HANDLER,
    HEAD,
    REVIEWER,
    STRANGER,
    SUPERVISOR,
    account,
)
from tests.integration.casework.walks import body_of, brought, elsewhere, opened, ordered

ORDINARY: dict[str, Any] = {"urgency": "ordinary", "category": "E0110"}
ANSWER: dict[str, Any] = {"note": "已现场处置"}
DISTRICT = principal("supervisor", "d-990101")


async def sound(town: Town) -> None:
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


async def read(town: Town, order: int, who: Principal) -> tuple[int, Any]:
    url, headers = f"{town.url}/api/v1/orders/{order}/read", town.acts_as(who)
    async with town.http.post(url, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def orders_of(town: Town, number: str, who: Principal = SUPERVISOR) -> list[dict[str, Any]]:
    _, case = await town.get(f"/cases/{number}", who)
    found: list[dict[str, Any]] = case["orders"]
    return found


async def told_of(town: Town, clock: str) -> dict[str, set[str]]:
    """Who was told of each level of a clock."""
    rows = await town.rows(
        "SELECT body->>'level' AS level, array_agg(recipient) AS who FROM notices WHERE topic = 'deadline' AND medium = 'inbox' "
        "AND body->>'clock' = $1 GROUP BY 1",
        clock,
    )
    return {row["level"]: set(row["who"]) for row in rows}


async def staffed(town: Town) -> None:
    for name, role, unit in (
        ("w1", "handler", "drainage"), ("h1", "unit_head", "drainage"), ("above", "unit_head", "water-affairs"),
        ("sup", "supervisor", "supervision"),
    ):  # fmt: skip
        await account(town, name, role, unit)


async def test_an_order_nobody_reads_climbs_to_the_head_above_once_and_then_to_the_supervisor(a_town: Town) -> None:
    await staffed(a_town)
    number = await opened(a_town, assigned_unit="drainage")
    await ordered(a_town, number)
    (unread,) = await clocks_of(a_town, number, "unread")
    for moment in (unread["due_at"] - timedelta(seconds=1), unread["due_at"], unread["due_at"] + timedelta(minutes=1)):
        a_town.clock.at = moment
        await a_town.fire()
        assert await told_of(a_town, "unread") == ({} if moment < unread["due_at"] else {"1": {"account:above"}})
    a_town.clock.travel(timedelta(days=3))
    await a_town.fire()
    await a_town.fire()
    found = await told_of(a_town, "unread")
    assert found == {"1": {"account:above"}, "2": {"account:sup"}}
    assert await a_town.value("SELECT count(*) FROM notices WHERE body->>'clock' = 'unread' AND medium = 'inbox'") == 2
    _, listed = await a_town.get("/orders?unread=true&unit=drainage&colour=blue", SUPERVISOR)
    assert [each["case_no"] for each in listed["items"]] == [number]
    await sound(a_town)


async def test_one_person_of_the_unit_who_opens_it_ends_the_climbing_and_each_is_on_record_once(a_town: Town) -> None:
    await staffed(a_town)
    number = await opened(a_town, assigned_unit="drainage")
    order = await ordered(a_town, number)
    assert (await read(a_town, order, STRANGER))[0] == 404
    above = principal("unit_head", "water-affairs", name="above")
    assert (await read(a_town, order, above))[0] == 409  # may see it; it is not addressed to them
    worker, head = principal("handler", "drainage", name="w1"), principal("unit_head", "drainage", name="h1")
    first = await read(a_town, order, worker)
    a_town.clock.travel(timedelta(minutes=5))
    assert await read(a_town, order, worker) == first
    assert (await read(a_town, order, head))[0] == 200
    assert (await read(a_town, 10**9, head))[0] == 404
    (shown,) = await orders_of(a_town, number)
    assert [each["account"] for each in shown["reads"]] == ["w1", "h1"]
    assert [each["actor"] for each in await events(a_town, number, "order_read")] == ["w1", "h1"]
    _, inbox = await a_town.get("/notices", worker)
    assert [n["read_at"] is not None for n in inbox["items"] if n["topic"] == "ordered"] == [True]
    a_town.clock.travel(timedelta(days=2))
    await a_town.fire()
    assert await told_of(a_town, "unread") == {}
    _, listed = await a_town.get("/orders?unread=true", SUPERVISOR)
    assert order not in [each["id"] for each in listed["items"]]
    await sound(a_town)


async def test_an_order_is_answered_sent_back_answered_again_and_accepted(a_town: Town) -> None:
    number = await brought(a_town, "handling", assigned_unit="drainage")
    order = await ordered(a_town, number, limit="1h")
    assert (await a_town.act(number, "answer_order", STRANGER, version=1, **ANSWER))[0] == 404
    a_town.clock.travel(timedelta(hours=2))
    await a_town.fire()
    assert (await a_town.act(number, "answer_order", HANDLER, **ANSWER))[0] == 200
    mine, theirs = await clocks_of(a_town, number, "order")
    assert (mine["unit"], mine["status"], theirs["unit"], theirs["status"]) == (
        "drainage",
        "missed",
        "supervision",
        "running",
    )
    assert (await a_town.act(number, "decide_order", SUPERVISOR, approve=False))[0] == 400  # says why
    status, _ = await a_town.act(number, "decide_order", SUPERVISOR, approve=False, note="缺少照片", limit="4h")
    assert status == 200
    *_, again = await clocks_of(a_town, number, "order")
    assert (again["unit"], again["round"], again["due_at"]) == ("drainage", 3, a_town.clock.at + timedelta(hours=4))
    assert (await a_town.act(number, "answer_order", HEAD, **ANSWER))[0] == 200
    assert (await a_town.act(number, "answer_order", HEAD, **ANSWER))[0] == 404  # nothing waits for it
    status, answer = await a_town.act(number, "decide_order", COMMANDER, approve=True)
    assert (status, answer["order"]) == (200, order)
    (shown,) = await orders_of(a_town, number)
    assert (shown["state"], [each["approved"] for each in shown["answers"]]) == ("done", [False, True])
    texts = {each["id"]: each["text"] for each in (await a_town.get(f"/cases/{number}", SUPERVISOR))[1]["texts"]}
    assert texts[shown["said"]] == BODY["order"]["note"]
    assert [texts[each["said"]] for each in shown["answers"]] == [ANSWER["note"]] * 2
    assert [each["late"] for each in await events(a_town, number, "order_answered")] == [True, False]
    record = "\n".join(bytes(row["body"]).decode() for row in await a_town.rows("SELECT body FROM case_events"))
    assert BODY["order"]["note"] not in record
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE clock = 'order' AND stopped_at IS NULL") == 0
    await sound(a_town)


async def test_nobody_decides_on_their_own_answer_nor_anybody_of_the_unit(a_town: Town) -> None:
    number = await brought(a_town, "handling", assigned_unit="drainage")
    order = await ordered(a_town, number, answered=True)
    inside = principal("supervisor", "drainage")
    status, problem = await a_town.act(number, "decide_order", inside, approve=True)
    assert (status, problem["field"]) == (409, "unit")
    same = principal("supervisor", "supervision", name=HANDLER.name)
    assert (await a_town.act(number, "decide_order", same, approve=True))[0] == 409
    assert (await a_town.act(number, "order", inside, **BODY["order"]))[0] == 409
    for column, value in (("decided_by", HANDLER.name), ("decided_unit", "drainage")):
        whole = {"decided_by": "other", "decided_unit": "supervision", column: value}
        with pytest.raises(asyncpg.CheckViolationError, match="nobody_decides_on_their_own_answer"):
            await a_town.rows(
                "UPDATE order_answers SET approved = true, decided_at = now(), decided_by = $2, decided_unit = $3 WHERE order_id = $1",
                order,
                whole["decided_by"],
                whole["decided_unit"],
            )


async def test_an_order_outlives_approval_and_closing_and_one_is_given_about_a_closed_case(a_town: Town) -> None:
    await staffed(a_town)
    number = await brought(a_town, "review", assigned_unit="drainage")
    early = await ordered(a_town, number)
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
    assert (await a_town.act(number, "close", FOLLOWUP, **EXPLAINED))[0] == 200
    late = await ordered(a_town, number, colour="orange")
    assert {c["status"] for c in await clocks_of(a_town, number, "order")} == {"running"}
    assert {c["status"] for c in await clocks_of(a_town, number, "unread")} == {"running"}
    await sound(a_town)
    a_town.clock.travel(timedelta(hours=1))
    await a_town.fire()  # nobody has opened it: the loop acts on a closed case too
    assert "1" in await told_of(a_town, "unread")
    status, problem = await a_town.act(number, "answer_order", HANDLER, **ANSWER)
    assert (status, problem["field"]) == (400, "order")  # two wait
    for order in (early, late):
        assert (await a_town.act(number, "answer_order", HANDLER, order=order, **ANSWER))[0] == 200
        assert (await a_town.act(number, "decide_order", SUPERVISOR, order=order, approve=True))[0] == 200
    assert (
        await a_town.value(
            "SELECT count(*) FROM deadlines d JOIN cases c ON c.id = d.case_id WHERE c.case_no = $1 AND d.stopped_at IS NULL",
            number,
        )
        == 0
    )
    await sound(a_town)


async def test_an_order_about_a_case_that_was_merged_is_answered_under_its_own_number(a_town: Town) -> None:
    number = await brought(a_town, "to_sign", assigned_unit="drainage")
    order = await ordered(a_town, number)
    assert (await a_town.act(number, "merge", DISPATCHER, **await body_of(a_town, number, "merge")))[0] == 200
    assert (await a_town.act(number, "order", SUPERVISOR, **BODY["order"]))[0] == 409
    await sound(a_town)
    assert (await a_town.act(number, "answer_order", HANDLER, order=order, **ANSWER))[0] == 200
    assert (await a_town.act(number, "decide_order", SUPERVISOR, approve=True))[0] == 200
    await sound(a_town)


async def test_an_order_alone_does_not_watch_over_an_open_case(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage", location=elsewhere())
    await a_town.rows("UPDATE deadlines SET plan = '[]'")
    await ordered(a_town, number, limit="60d")
    a_town.clock.travel(timedelta(days=30))
    await a_town.fire()
    assert len(await clocks_of(a_town, number, "review")) == 1


async def test_red_and_listed_orders_are_the_citys_and_a_colour_is_never_lowered(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="s-990101001")
    told = BODY["order"] | {"unit": "s-990101001"}
    graver: list[dict[str, Any]] = [{"colour": "red"}, {"kind": "listed"}]
    for field in graver:
        status, problem = await a_town.act(number, "order", DISTRICT, **(told | field))
        assert (status, problem["type"]) == (403, "/problems/not-permitted"), field
    status, made = await a_town.act(number, "order", DISTRICT, **told)
    assert status == 200
    order = made["order"]
    assert (await a_town.act(number, "raise_order", DISTRICT, order=order, colour="orange"))[0] == 200
    assert (await a_town.act(number, "raise_order", DISTRICT, order=order, colour="red"))[0] == 403
    assert (await a_town.act(number, "raise_order", SUPERVISOR, order=order, colour="orange"))[0] == 409
    assert (await a_town.act(number, "raise_order", COMMANDER, order=order, colour="red"))[0] == 200
    # What is red now is decided on by the city.
    street = principal("handler", "s-990101001")
    assert (await a_town.act(number, "answer_order", street, **ANSWER))[0] == 200
    assert (await a_town.act(number, "decide_order", DISTRICT, approve=True))[0] == 403
    assert [each["colour"] for each in await orders_of(a_town, number)] == ["red"]
    assert (await events_of(a_town, number)).count("order_raised") == 2
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="raised_colour"):
        await a_town.rows("UPDATE orders SET colour = 'blue'")


async def test_an_instruction_is_entered_for_a_post_and_never_for_a_name(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage")
    told = BODY["order"] | {"kind": "instruction"}
    for post in (None, "张市长", "somebody"):
        status, problem = await a_town.act(number, "order", SUPERVISOR, **(told | ({"post": post} if post else {})))
        assert (status, problem["field"]) == (400, "post"), post
    assert (await a_town.act(number, "order", COMMANDER, **told, post="mayor"))[0] == 200
    assert (await a_town.act(number, "order", SUPERVISOR, **BODY["order"], post="mayor"))[0] == 400
    assert [each["post"] for each in await orders_of(a_town, number)] == ["mayor"]


async def test_an_order_without_an_answer_is_done_once_it_was_opened(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage")
    order = await ordered(a_town, number, needs_reply=False)
    assert await clocks_of(a_town, number, "order") == []
    assert (await a_town.act(number, "answer_order", HANDLER, **ANSWER))[0] == 404
    assert (await read(a_town, order, HANDLER))[0] == 200
    (shown,) = await orders_of(a_town, number)
    assert (shown["state"], shown["ended_at"] is not None) == ("done", True)
    await sound(a_town)


async def test_a_unit_that_is_complained_about_hears_of_no_order(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage", about={"unit": "gas"})
    status, problem = await a_town.act(number, "order", SUPERVISOR, **BODY["order"], unit="gas")
    assert (status, problem["field"]) == (409, "unit")
    assert (await a_town.act(number, "order", SUPERVISOR, **BODY["order"], unit="nowhere"))[0] == 400


async def test_a_unit_without_a_task_may_be_ordered_and_then_sees_the_case(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage", category="E0110", location=elsewhere())
    outsider = principal("handler", "education")
    assert (await a_town.get(f"/cases/{number}", outsider))[0] == 404
    order = await ordered(a_town, number, "education")
    assert (await a_town.get(f"/cases/{number}", outsider))[0] == 200
    assert (await read(a_town, order, outsider))[0] == 200
    assert (await a_town.act(number, "answer_order", outsider, version=1, **ANSWER))[0] == 200
    _, listed = await a_town.get("/orders", outsider)
    assert [each["id"] for each in listed["items"]] == [order]
    _, listed = await a_town.get("/orders", STRANGER)
    assert listed["items"] == []


async def test_the_list_goes_on_where_a_page_ended(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage")
    made = [await ordered(a_town, number) for _ in range(5)]
    seen, path = list[int](), "/orders?limit=2&open=true"
    while path:
        _, page = await a_town.get(path, HANDLER)
        seen += [each["id"] for each in page["items"]]
        path = f"/orders?limit=2&open=true&cursor={page['next']}" if page["next"] else ""
    assert seen == made[::-1]
