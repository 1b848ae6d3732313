"""Sensor events (感知事件): CloudEvents become reports, one open alarm a device.

| event                          | what happens                                                        |
|--------------------------------|---------------------------------------------------------------------|
| of a type the city does not use| counted, ignored                                                    |
| from a device nobody knows     | quarantine: a person finds out where it stands                      |
| alarm raised, lasted enough    | a report through the front door; the device remembers its case      |
| raised again while open        | nothing new                                                         |
| cleared                        | a note on the case; a person still closes it                        |

An event is answered after the commit it led to. The device's row is held meanwhile, so two replicas never raise one alarm twice;
a crash in between is harmless, because the report's key is the event's source and id.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from connectors.alarms import AlarmRule, DeviceState, ripen, step
from connectors.cloudevents import EventFault, SensorEvent, parse
from connectors.errors import ConnectorError
from dispatch.casework import record
from dispatch.city.model import City, Device, SensorType
from dispatch.city.versions import Cities
from dispatch.domain.errors import BadInput, DispatchError
from dispatch.domain.reports import Answer, Location, Report
from dispatch.intake.intake import Intake
from dispatch.metrics import Metrics
from dispatch.people.keyring import Keyring
from dispatch.people.principal import Principal
from dispatch.store.clock import Clock
from dispatch.store.pool import Connection, one
from dispatch.store.statements import load

SQL = load(__file__, "sensors")
CHANNEL = "sensor"
# Device rows are held while their report is committed on another connection: never more than this many of the pool at once.
HOLDING = 2
log = structlog.get_logger()
STATION = Principal("sensors", "key", "", frozenset(), frozenset({"report.submit"}), frozenset({CHANNEL}))


class Result(Struct, frozen=True, omit_defaults=True):
    """What became of one event: raised, held, continued, cleared, ignored, unknown_type, quarantined, refused."""

    id: str
    source: str
    result: str
    case_no: str | None = None
    receipt_no: str | None = None
    problem: str | None = None


class Sensors:
    """The station through which sensor events come in."""

    def __init__(
        self, pool: asyncpg.Pool, cities: Cities, intake: Intake, keyring: Keyring, clock: Clock, metrics: Metrics
    ) -> None:
        self._pool, self._cities, self._intake, self._keyring, self._clock, self._metrics = (
            pool,
            cities,
            intake,
            keyring,
            clock,
            metrics,
        )
        self._holding = asyncio.Semaphore(HOLDING)

    async def take(self, body: bytes, content_type: str) -> list[Result]:
        """Takes every event of a request in order; a bad one harms no neighbour. Raises BadInput if none can be read."""
        try:
            events = parse(content_type, body, self._clock.wall())
        except ConnectorError as fault:
            raise BadInput(field="body", problem=str(fault)) from None
        return [await self._one(event) for event in events]

    async def _one(self, event: SensorEvent | EventFault) -> Result:
        if isinstance(event, EventFault):
            return self._counted(
                "?", Result(event.id or f"#{event.index}", "", "refused", problem=f"{event.attribute}: {event.problem}")
            )
        city = self._cities.current
        kind = city.sensors.get(event.type) or city.sensors.cleared(event.type)
        if kind is None:
            return self._counted("?", Result(event.id, event.source, "unknown_type"))
        device = city.devices.get(event.subject or "")
        try:
            if device is None:
                return self._counted(event.type, await self._unknown(event))
            return self._counted(event.type, await self._known(event, kind, device, city))
        except DispatchError as refusal:
            return self._counted(event.type, Result(event.id, event.source, "refused", problem=str(refusal)))

    def _counted(self, type_: str, result: Result) -> Result:
        self._metrics.sensor_events.labels(type_, result.result).inc()
        return result

    async def _unknown(self, event: SensorEvent) -> Result:
        report = Report(
            CHANNEL, _key(event), kind="sensor", text=f"{event.type} {event.subject or '?'}",
            attributes={"source": event.source[:500], "device": (event.subject or "")[:500], "type": event.type[:500]},
        )  # fmt: skip
        received = await self._intake.set_aside(report, "unknown-device", "subject", STATION)
        return Result(
            event.id,
            event.source,
            "quarantined",
            receipt_no=msgspec.json.decode(received.answer, type=Answer).receipt_no,
        )

    async def _known(self, event: SensorEvent, kind: SensorType, device: Device, city: City) -> Result:
        place = (event.source, device.code, kind.type)
        async with self._holding, self._pool.acquire() as connection, connection.transaction():
            await connection.execute(SQL.make_device, *place)
            row = await one(connection, SQL.hold_device, *place)
            before = msgspec.json.decode(row["state"], type=DeviceState | None)
            cleared = event.type == kind.cleared_by
            rule = AlarmRule(kind.category, "cleared" if cleared else "raised", kind.min_duration_s, kind.hold_off_s)
            after, action = step(before, event, rule)
            case_id, result = row["case_id"], Result(event.id, event.source, "ignored")
            if action == "raise" or (action == "continue" and not row["case_open"]):
                case_id, result = await self._raise(
                    connection, event.id, event.source, _key(event), event.time, kind, device, city
                )
            elif action == "note_cleared" and row["case_open"]:
                result = Result(event.id, event.source, "cleared", await self._note(connection, case_id, kind, event))
            elif action != "ignore":
                result = Result(
                    event.id, event.source, {"hold": "held", "continue": "continued"}.get(action, "ignored")
                )
            await self._save(connection, place, after, case_id)
        return result

    async def _raise(
        self,
        connection: Connection,
        id: str,
        source: str,
        key: str,
        at: datetime,
        kind: SensorType,
        device: Device,
        city: City,
    ) -> tuple[int | None, Result]:
        report = Report(
            CHANNEL, key, kind="sensor", title=kind.name, text=f"{device.name} {kind.name}", category=kind.category, urgency=kind.urgency,
            occurred_at=at.isoformat(), attributes={"device": device.code, "source": source[:500]},
            location=Location(device.lon, device.lat),
        )  # fmt: skip
        received = await self._intake.submit(report, STATION)
        answer = msgspec.json.decode(received.answer, type=Answer)
        row = await connection.fetchrow(SQL.case_of, CHANNEL, key)
        return (row["case_id"] if row else None), Result(id, source, "raised", answer.case_no, answer.receipt_no)

    async def _note(self, connection: Connection, case_id: int, kind: SensorType, event: SensorEvent) -> str:
        change = (await record.hold(connection, [case_id]))[case_id]
        at = change.instant(await self._clock.now(connection))
        change.event("alarm_cleared", at, CHANNEL, alarm=kind.type, device=event.subject, cleared_at=event.time)
        await record.save(connection, self._keyring, self._cities.current.map.areas, [change])
        return change.case.case_no

    async def _save(
        self, connection: Connection, place: tuple[str, str, str], state: DeviceState, case_id: int | None
    ) -> None:
        await connection.execute(SQL.save_device, *place, msgspec.json.encode(state).decode(), case_id, state.ripe_at)

    async def ripen(self) -> int:
        """Raises pending alarms that have lasted their minimum without a further event; returns how many."""
        now = await self._clock.now(self._pool)
        raised = 0
        for row in await self._pool.fetch(SQL.ripe, now):
            try:
                raised += await self._ripen(tuple(row.values()), now)
            except DispatchError as refusal:
                log.warning("sensors.not_raised", device=row["device"], alarm=row["alarm"], error=refusal.code)
        return raised

    async def _ripen(self, place: Sequence[Any], now: datetime) -> int:
        city = self._cities.current
        source, code, alarm = place
        kind, device = city.sensors.get(alarm), city.devices.get(code)
        async with self._holding, self._pool.acquire() as connection, connection.transaction():
            row = await one(connection, SQL.hold_device, *place)
            state, action = ripen(msgspec.json.decode(row["state"], type=DeviceState), now)
            case_id = row["case_id"]
            if action == "raise" and kind is not None and device is not None and state.since is not None:
                key = _short(f"{source}|{code}|{state.since.isoformat()}")
                case_id, _ = await self._raise(connection, key, source, key, state.since, kind, device, city)
                self._metrics.sensor_events.labels(alarm, "raised").inc()
            elif action == "raise":
                log.warning("sensors.ripe_but_unknown", device=code, alarm=alarm)
            await self._save(connection, (source, code, alarm), state, case_id)
        return int(action == "raise")


def _key(event: SensorEvent) -> str:
    """(source, id) is what makes an event the same event (CloudEvents 1.0, 3.1.1)."""
    return _short(f"{event.source}|{event.id}")


def _short(key: str) -> str:
    return key if len(key) <= 200 else "sha256:" + sha256(key.encode()).hexdigest()
