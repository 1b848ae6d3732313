"""How many notices reach each person a day."""

from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.desk_calls import Period, sound
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.domain.errors import BadInput
from dispatch.insight.reader import reader
from dispatch.notices.load import Load, loads

LONGEST = timedelta(days=31)


class LoadQuery(Period, frozen=True, forbid_unknown_fields=True):
    """From `since` up to but not at `until`, a month at most."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 200


class LoadPage(Struct, frozen=True):
    """A page; without `next` it was the last."""

    items: list[Load]
    next: str | None = None


async def load(call: Call[None, LoadQuery]) -> Reply:
    query, key = call.query, call.services.cursor_key
    since, until = sound(query)
    if until - since > LONGEST:
        raise BadInput(field="until", problem="a month at most")
    after = decode_cursor(query.cursor, key, "load").values if query.cursor else ("0001-01-01", "")
    city = call.services.cities.current
    who = reader(call.actor, city)
    behind = date.fromisoformat(after[0]), after[1]
    rows = await loads(call.services.pool, who.units, since, until, city.tz.key, behind, query.limit)
    full = len(rows) == query.limit
    more = encode_cursor(Cursor((rows[-1].day.isoformat(), rows[-1].account)), key, "load") if full else None
    return Reply(LoadPage(rows, more))


ROUTES = [
    Route(
        "GET", "/api/v1/notices/load", load, "Notices and open tasks of each person a day 通知负担", "notice.load",
        query=LoadQuery, answer=LoadPage,
    ),
]  # fmt: skip
