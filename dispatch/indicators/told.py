"""The parts of an event that figures are made of. Whatever else it says is not even decoded."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType


class CaseTold(Struct):
    """What an event says was written of the case."""

    opened_at: datetime | UnsetType = UNSET
    closed_at: datetime | UnsetType | None = UNSET
    state: str | UnsetType = UNSET
    round: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    category: str | UnsetType | None = UNSET
    area: str | UnsetType | None = UNSET
    restricted: bool | UnsetType = UNSET
    city_version: int | UnsetType = UNSET
    lead_assignment_id: int | UnsetType | None = UNSET


class TaskTold(Struct):
    """What an event says was written of a task."""

    role: str | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    round: int | UnsetType = UNSET
    dispatched_at: datetime | UnsetType = UNSET
    signed_at: datetime | UnsetType | None = UNSET
    replied_at: datetime | UnsetType | None = UNSET
    ended_at: datetime | UnsetType | None = UNSET
    return_reason: str | UnsetType | None = UNSET


class ClockTold(Struct):
    """What an event says was written of a clock."""

    unit: str | UnsetType = UNSET
    started_at: datetime | UnsetType = UNSET
    due_at: datetime | UnsetType = UNSET
    status: str | UnsetType = UNSET
    stopped_at: datetime | UnsetType | None = UNSET


class Wrote(Struct):
    """Rows that an event's transaction wrote: the case's, those of tasks by id, those of clocks by name, task and round."""

    case: CaseTold | None = None
    tasks: list[tuple[int, TaskTold]] = []
    clocks: list[tuple[str, int | None, int, ClockTold]] = []


class Line(Struct):
    """One event. What a type of event has of its own is read where that type is heard, and only there."""

    at: datetime
    type: str
    state: str | None = None
    owner_unit: str | None = None
    wrote: Wrote | None = None
    role: Any = None
    assignment: Any = None
    round: Any = None
    unit: Any = None
    solved: Any = None
    valid: Any = None
    contacted: Any = None
    satisfied: Any = None
    kind: Any = None
    approved: Any = None
    final: Any = None
    shared: Any = None


decode = msgspec.json.Decoder(Line).decode


def apply(row: Any, told: Struct) -> None:
    """Puts what was written into a row; what was not written stays."""
    for name in told.__struct_fields__:
        if (value := getattr(told, name)) is not UNSET:
            setattr(row, name, value)
