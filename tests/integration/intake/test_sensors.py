"""Sensor events: one open alarm a device whatever it sends, and a person for whatever nobody knows."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from tests.harness.town import CONNECTOR, REPLY, Town, json_of, principal
from tests.integration.intake.conftest import Replica

GAS: dict[str, Any] = {"type": "city.gas.leak", "subject": "GL-990103-004"}  # at once
MANHOLE: dict[str, Any] = {
    "type": "city.manhole.tilted",
    "subject": "MH-990101-001",
}  # must last 30 s, then 1800 s hold-off


def _event(town: Town, id: str, after: float = 0, **fields: Any) -> dict[str, Any]:
    time = (town.clock.at + timedelta(seconds=after)).isoformat()
    return {"specversion": "1.0", "id": id, "source": "/gateway", "time": time, **fields}


async def _post(town: Town, *events: dict[str, Any]) -> list[dict[str, Any]]:
    headers = {**town.acts_as(CONNECTOR), "Content-Type": "application/cloudevents-batch+json"}
    async with town.http.post(f"{town.url}/api/v1/sensors/events", data=json.dumps(events), headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        told: list[dict[str, Any]] = await json_of(answer)
        return told


def _results(told: list[dict[str, Any]]) -> list[str]:
    return [each["result"] for each in told]


async def test_an_alarm_becomes_a_case_of_its_type(a_town: Town) -> None:
    [told] = await _post(a_town, _event(a_town, "1", **GAS))
    assert told["result"] == "raised"
    row = (await a_town.rows("SELECT category, kind, urgency, people FROM cases WHERE case_no = $1", told["case_no"]))[
        0
    ]
    assert tuple(row) == ("E0502", "sensor", "critical", 0)
    clocks = {row["clock"] for row in await a_town.rows("SELECT clock FROM deadlines")}
    assert "contact" not in clocks  # devices are not people


async def test_an_unknown_type_is_counted_and_ignored(a_town: Town) -> None:
    assert _results(await _post(a_town, _event(a_town, "1", type="city.unheard.of", subject="x"))) == ["unknown_type"]
    assert await a_town.value("SELECT count(*) FROM report_keys") == 0
    async with a_town.http.get(f"{a_town.url}/metrics") as answer:
        counted = [
            line for line in (await answer.text()).splitlines() if 'result="unknown_type"' in line and "_total" in line
        ]
    assert [line.rpartition(" ")[2] for line in counted] == ["1.0"]


async def test_an_unknown_device_is_quarantined_once_per_event(a_town: Town) -> None:
    event = _event(a_town, "1", type="city.gas.leak", subject="GL-nobody")
    [told] = await _post(a_town, event)
    [again] = await _post(a_town, event)
    assert (told["result"], again["receipt_no"]) == ("quarantined", told["receipt_no"])
    assert tuple((await a_town.rows("SELECT reason, status FROM quarantine"))[0]) == ("unknown-device", "open")
    untimed = {k: v for k, v in event.items() if k != "time"}
    await _post(a_town, {**untimed, "id": "2"})
    a_town.clock.travel(timedelta(minutes=1))
    assert _results(await _post(a_town, {**untimed, "id": "2"})) == ["quarantined"]
    assert await a_town.value("SELECT count(*) FROM quarantine") == 2


async def test_a_flapping_device_has_one_open_alarm(a_town: Town) -> None:
    told = []
    for n in range(10):
        down = _event(a_town, f"down{n}", 30, **GAS | {"type": "city.gas.normal"})
        told += await _post(a_town, _event(a_town, f"up{n}", **GAS), down)
        a_town.clock.travel(timedelta(minutes=1))
    assert _results(told) == ["raised", "cleared"] + ["continued", "cleared"] * 9
    assert tuple((await a_town.rows("SELECT count(*), (SELECT count(*) FROM reports) FROM cases"))[0]) == (1, 1)


async def test_two_senders_at_once_raise_one_alarm(a_town: Town, replica: Replica) -> None:
    async with replica() as other:
        told = await asyncio.gather(
            *(_post((a_town, other)[n % 2], _event(a_town, f"e{n}", n, **GAS)) for n in range(12))
        )
    results = sorted(_results([each for [each] in told]))
    assert results.count("raised") == 1
    assert set(results) <= {"raised", "continued", "ignored"}
    assert await a_town.value("SELECT count(*) FROM reports") == 1


async def test_cleared_is_a_note_and_a_person_still_closes(a_town: Town) -> None:
    [raised] = await _post(a_town, _event(a_town, "1", **GAS))
    [cleared] = await _post(a_town, _event(a_town, "2", 5, **GAS | {"type": "city.gas.normal"}))
    assert (cleared["result"], cleared["case_no"]) == ("cleared", raised["case_no"])
    assert await a_town.value("SELECT is_open FROM cases")
    assert await a_town.value("SELECT count(*) FROM case_events WHERE type = 'alarm_cleared'") == 1


async def test_a_state_that_must_last_ripens_without_a_further_event(a_town: Town) -> None:
    sensors = a_town.services.sensors
    assert _results(await _post(a_town, _event(a_town, "1", **MANHOLE))) == ["held"]
    a_town.clock.travel(timedelta(seconds=29))
    assert await sensors.ripen() == 0
    a_town.clock.travel(timedelta(seconds=2))
    assert sum(await asyncio.gather(sensors.ripen(), sensors.ripen())) == 1
    assert await sensors.ripen() == 0
    assert tuple((await a_town.rows("SELECT count(*), min(category) FROM cases"))[0]) == (1, "C0103")


async def test_what_ends_before_it_lasted_was_nothing(a_town: Town) -> None:
    await _post(
        a_town, _event(a_town, "1", **MANHOLE), _event(a_town, "2", 10, **MANHOLE | {"type": "city.manhole.restored"})
    )
    a_town.clock.travel(timedelta(minutes=5))
    assert await a_town.services.sensors.ripen() == 0
    assert await a_town.value("SELECT count(*) FROM cases") == 0


async def test_one_alarm_that_cannot_be_raised_holds_up_no_other(a_town: Town) -> None:
    await _post(
        a_town, _event(a_town, "1", **MANHOLE), _event(a_town, "2", 1, **MANHOLE | {"subject": "MH-990102-002"})
    )
    taken = f"/gateway|{MANHOLE['subject']}|{a_town.clock.at.isoformat()}"
    await a_town.send({"channel": "sensor", "external_id": taken, "text": "有人用了这个编号"})
    a_town.clock.travel(timedelta(minutes=1))
    assert await a_town.services.sensors.ripen() == 1


async def test_a_bad_event_harms_no_neighbour(a_town: Town) -> None:
    bad = {"specversion": "1.0", "id": "b", "type": "city.gas.leak"}
    extended = _event(a_town, "3", 1, **GAS, sequence="7", datacontenttype="application/json", data={"ppm": 90})
    told = await _post(a_town, _event(a_town, "1", **GAS), bad, extended, _event(a_town, "4", time="yesterday", **GAS))
    assert _results(told) == ["raised", "refused", "continued", "refused"]
    assert "source" in told[1]["problem"]


async def test_after_a_person_closed_the_case_a_standing_alarm_raises_anew(a_town: Town) -> None:
    [first] = await _post(a_town, _event(a_town, "1", **GAS))
    handler, reviewer = principal("handler", "gas"), principal("reviewer", "dispatch")
    for action, who in (("sign", handler), ("reply", handler), ("approve", reviewer)):
        assert (await a_town.act(first["case_no"], action, who, **REPLY))[0] == 200
    assert not await a_town.value("SELECT is_open FROM cases")
    [again] = await _post(a_town, _event(a_town, "2", 60, **GAS))
    assert (again["result"], again["case_no"] != first["case_no"]) == ("raised", True)
