"""The fields of a report that a mapping may fill, in the wire form, each with the form its text is brought into."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal
from zoneinfo import ZoneInfo

Form = Literal["text", "number", "time", "flag"]

FIELDS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "channel": "text",
        "external_id": "text",
        "kind": "text",
        "title": "text",
        "text": "text",
        "category": "text",
        "urgency": "text",
        "occurred_at": "time",
        "received_at": "time",
        "due_at": "time",
        "assigned_unit": "text",
        "order_no": "text",
        "call_id": "text",
        "callback_required": "flag",
        "location.lon": "number",
        "location.lat": "number",
        "location.crs": "text",
        "location.address": "text",
        "location.area_code": "text",
        "caller.name": "text",
        "caller.phone": "text",
        "caller.confidential": "flag",
        "about.unit": "text",
        "about.party": "text",
        "about.object": "text",
        "source_ref.system": "text",
        "source_ref.number": "text",
    }
)
OPEN_OBJECT: Final = "attributes."


def form_of(path: str) -> Form | None:
    """The form of a field by its dotted path; None for a field that a mapping cannot fill."""
    if path.startswith(OPEN_OBJECT) and path != OPEN_OBJECT:
        return "text"
    return FIELDS.get(path)


def as_number(text: str) -> float:
    """Raises ValueError for what is not a finite number."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def as_flag(text: str) -> bool:
    """`true` and `false` only; other spellings go through a code table. Raises ValueError."""
    if text not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text == "true"


def time_reader(formats: tuple[str, ...], zone: ZoneInfo) -> Callable[[str], tuple[datetime, bool]]:
    """A reader of local times: (time with offset, whether it had to be shifted).

    A time without offset is local in `zone`; one that occurs twice (end of summer time) is the first, one that does not
    exist (its beginning) is shifted forward by the gap. The reader raises ValueError where no format fits.
    """

    def read(text: str) -> tuple[datetime, bool]:
        for pattern in formats:
            try:
                found = datetime.strptime(text, pattern)  # noqa: DTZ007  a local time gets its zone below
            except ValueError:
                continue
            if found.tzinfo is not None:
                return found, False
            local = found.replace(tzinfo=zone)
            real = local.astimezone(UTC).astimezone(zone)
            return real, real.replace(tzinfo=None) != found
        raise ValueError("fits none of the time formats")

    return read
