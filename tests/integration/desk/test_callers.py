"""Who is calling: before the name is said nothing of what anybody told, after it only their own; always on record."""

from datetime import timedelta
from typing import Any

import msgspec

from tests.harness.town import Town, principal
from tests.integration.casework.people import CITIZEN
from tests.integration.casework.walks import opened
from tests.integration.desk.desk import DISPATCHER, HANDLER, OPERATOR, ask

PHONE = "13812345678"


async def looked_up(town: Town, name: str | None = None, who: Any = OPERATOR, **more: Any) -> dict[str, Any]:
    body = {"phone": PHONE, "purpose": "接听来电"} | ({"name": name} if name else {}) | more
    status, known = await ask(town, "POST", "/callers/lookup", who, body)
    assert status == 200, known
    found: dict[str, Any] = known
    return found


def place(n: int) -> dict[str, float]:
    return {"lon": 116.15 + n / 100, "lat": 33.12}


async def test_a_number_alone_tells_how_many_use_it_and_their_names_masked(a_town: Town) -> None:
    await opened(a_town, caller=CITIZEN)
    await opened(a_town, caller={"name": "欧阳小红", "phone": PHONE}, location=place(1))
    found = await looked_up(a_town)
    assert found == {"persons": 2, "names": ["张**", "欧阳**"], "shared": False, "history": []}


async def test_the_right_name_opens_that_persons_own_history_newest_first(a_town: Town) -> None:
    first = await opened(a_town, caller=CITIZEN)
    a_town.clock.travel(timedelta(minutes=1))
    second = await opened(a_town, caller=CITIZEN, category="E0110", location=place(1), text="另外一件完全不同的事")
    await opened(a_town, caller={"name": "李四", "phone": PHONE}, location=place(2))
    assert (await a_town.act(second, "sign", principal("handler", await _lead(a_town, second))))[0] == 200
    history = (await looked_up(a_town, "张三丰"))["history"]
    assert [(h["case_no"], h["state"], h["last_step"]["type"]) for h in history] == [
        (second, "handling", "signed"),
        (first, "to_sign", "dispatched"),
    ]
    assert {h["light"] for h in history} == {"green"}
    assert history[1]["category"] == "E0506"


async def test_a_wrong_name_looks_like_somebody_new(a_town: Town) -> None:
    await opened(a_town, caller=CITIZEN)
    assert await looked_up(a_town, "张四丰") == await looked_up(a_town)


async def test_a_number_of_many_names_is_said_to_be_shared(a_town: Town) -> None:
    for n, name in enumerate(("张三丰", "李四", "王五", "赵六")):
        assert (await looked_up(a_town))["shared"] is False
        await opened(a_town, caller={"name": name, "phone": PHONE}, location=place(n))
    assert (await looked_up(a_town))["shared"] is True


async def test_restricted_cases_and_what_was_said_in_confidence_count_nowhere(a_town: Town) -> None:
    await opened(a_town, category="S110401", text="邻居天天被打", caller=CITIZEN)
    await opened(a_town, caller={"name": "李四", "phone": PHONE, "confidential": True}, location=place(1))
    nobody = {"persons": 0, "names": [], "shared": False, "history": []}
    named = type(OPERATOR)(
        "named",
        "account",
        "hotline",
        OPERATOR.roles | {"restricted_reader"},
        OPERATOR.permissions | {"restricted.read"},
    )
    for who in (OPERATOR, named):
        for name in (None, "张三丰", "李四"):
            assert await looked_up(a_town, name, who) == nobody, (who.name, name)


async def test_a_desk_of_one_district_learns_nothing_of_another(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    area = str(await a_town.value("SELECT area FROM cases WHERE case_no = $1", case_no))
    offices = await a_town.rows("SELECT code FROM units")
    units = a_town.services.cities.current.units
    districts = {u.area: u.code for u in units if u.kind == "district" and u.code in {r["code"] for r in offices}}
    own, other = districts[area[:6]], next(code for a, code in districts.items() if a != area[:6])
    assert len((await looked_up(a_town, "张三丰", principal("operator", own)))["history"]) == 1
    away = await looked_up(a_town, "张三丰", principal("operator", other))
    assert (away["persons"], away["history"]) == (0, [])


async def test_a_desk_under_the_unit_complained_about_learns_nothing(a_town: Town) -> None:
    await opened(a_town, about={"unit": "water-affairs"}, caller=CITIZEN)
    assert (await looked_up(a_town, "张三丰", principal("followup", "drainage")))["persons"] == 0
    assert (await looked_up(a_town, "张三丰"))["persons"] == 1


async def test_every_look_is_on_record_without_the_number_or_the_name(a_town: Town) -> None:
    await opened(a_town, caller=CITIZEN)
    await looked_up(a_town)
    await looked_up(a_town, "张三丰", purpose=f"回拨{PHONE}核实")
    rows = [dict(r) for r in await a_town.rows("SELECT actor, action, subject, purpose FROM access_log ORDER BY id")]
    assert [(r["actor"], r["action"]) for r in rows] == [(OPERATOR.name, "caller.lookup")] * 2
    assert [len(part) for part in rows[1]["subject"].split("/")] == [16, 16]
    assert rows[0]["subject"] == rows[1]["subject"].split("/")[0]
    written = msgspec.json.encode(rows).decode()
    assert PHONE not in written
    assert "张三丰" not in written


async def test_what_is_no_number_is_refused_by_name_and_others_are_kept_out(a_town: Town) -> None:
    status, problem = await ask(a_town, "POST", "/callers/lookup", OPERATOR, {"phone": "12", "purpose": "接听来电"})
    assert (status, problem["field"]) == (400, "phone")
    assert (await ask(a_town, "POST", "/callers/lookup", OPERATOR, {"phone": PHONE}))[0] == 400
    asked = {"phone": PHONE, "purpose": "接听来电"}
    assert (await ask(a_town, "POST", "/callers/lookup", HANDLER, asked))[0] == 403
    assert (await ask(a_town, "POST", "/callers/lookup", DISPATCHER, asked))[0] == 200


async def _lead(town: Town, case_no: str) -> str:
    return str(
        await town.value(
            "SELECT a.unit FROM cases c JOIN assignments a ON a.id = c.lead_assignment_id WHERE c.case_no = $1", case_no
        )
    )
