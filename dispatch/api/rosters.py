"""Duty rosters: shifts, leave with stand-ins, and who is on duty."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.moments import moment
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.domain.errors import NotFound
from dispatch.people.rosters import CityRole, Leave, Roster, Shift, UnitRole

V1 = "/api/v1"
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]


class NewShift(Struct, frozen=True, forbid_unknown_fields=True):
    """On duty from `starts_at` up to `ends_at`; the unit of supervisors and commanders is `*`."""

    unit: Name
    role: UnitRole | CityRole
    account: Name
    starts_at: Moment
    ends_at: Moment


class NewLeave(Struct, frozen=True, forbid_unknown_fields=True):
    """Away from `starts_at` up to `ends_at`; without `stand_in` nobody is told instead."""

    account: Name
    starts_at: Moment
    ends_at: Moment
    stand_in: Name | None = None


class ShiftQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Those that are not over at `since`, now by default; of one post's unit, of one account."""

    unit: Name | None = None
    account: Name | None = None
    since: Moment | None = None
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class LeaveQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Those that are not over at `since`, now by default; of one account."""

    account: Name | None = None
    since: Moment | None = None
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class At(Struct, frozen=True, forbid_unknown_fields=True):
    """The instant, now by default."""

    at: Moment | None = None


class ShiftPage(Struct, frozen=True):
    """A page of shifts; without `next` it was the last."""

    items: list[Shift]
    next: str | None


class LeavePage(Struct, frozen=True):
    """A page of leaves; without `next` it was the last."""

    items: list[Leave]
    next: str | None


async def shifts(call: Call[None, ShiftQuery]) -> Reply:
    query = call.query
    found = await call.services.people.rosters.shifts(
        call.actor, _units(call), unit=query.unit, account=query.account, since=moment("since", query.since),
        after=_after(call, "shifts"), limit=query.limit,
    )  # fmt: skip
    return Reply(ShiftPage(found, _next(call, "shifts", found)))


async def add_shift(call: Call[NewShift, None]) -> Reply:
    new = call.body
    wanted = (new.unit, new.role, new.account, *_span(new))
    return Reply(await call.services.people.rosters.add_shift(call.actor, _units(call), wanted), 201)


async def remove_shift(call: Call[None, None]) -> Reply:
    await call.services.people.rosters.remove_shift(call.actor, _units(call), _id(call, "shift"))
    return Reply(status=204)


async def leaves(call: Call[None, LeaveQuery]) -> Reply:
    query = call.query
    found = await call.services.people.rosters.leaves(
        call.actor,
        _units(call),
        account=query.account,
        since=moment("since", query.since),
        after=_after(call, "leaves"),
        limit=query.limit,
    )
    return Reply(LeavePage(found, _next(call, "leaves", found)))


async def add_leave(call: Call[NewLeave, None]) -> Reply:
    new, rosters = call.body, call.services.people.rosters
    made = await rosters.add_leave(call.actor, _units(call), new.account, *_span(new), new.stand_in)
    return Reply(made, 201)


async def remove_leave(call: Call[None, None]) -> Reply:
    await call.services.people.rosters.remove_leave(call.actor, _units(call), _id(call, "leave"))
    return Reply(status=204)


async def on_duty(call: Call[None, At]) -> Reply:
    rosters = call.services.people.rosters
    return Reply(await rosters.on_duty(call.actor, _units(call), call.params["unit"], moment("at", call.query.at)))


def _span(new: NewShift | NewLeave) -> tuple[datetime, datetime]:
    starts_at, ends_at = moment("starts_at", new.starts_at), moment("ends_at", new.ends_at)
    assert starts_at is not None
    assert ends_at is not None
    return starts_at, ends_at


def _units(call: Call[Any, Any]) -> Any:
    return call.services.cities.current.units


def _id(call: Call[Any, Any], noun: str) -> int:
    raw = call.params[noun]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun=noun, key=raw)
    return int(raw)


def _after(call: Call[None, Any], listing: str) -> tuple[datetime, int] | None:
    word: str | None = call.query.cursor
    if not word:
        return None
    starts_at, row = decode_cursor(word, call.services.cursor_key, listing).values
    return starts_at, row


def _next(call: Call[None, Any], listing: str, found: list[Any]) -> str | None:
    if len(found) < call.query.limit:
        return None
    return encode_cursor(Cursor((found[-1].starts_at, found[-1].id)), call.services.cursor_key, listing)


READ, MANAGE = "roster.read", "roster.manage"
ROUTES = [
    Route("GET", f"{V1}/shifts", shifts, "Who is on duty when 值班安排", READ, query=ShiftQuery, answer=ShiftPage),
    Route(
        "POST", f"{V1}/shifts", add_shift, "Put somebody on duty 排班", MANAGE, body=NewShift, answer=Shift,
        statuses=(201,),
    ),
    Route("DELETE", f"{V1}/shifts/{{shift}}", remove_shift, "Take a shift back 撤销排班", MANAGE, statuses=(204,)),
    Route("GET", f"{V1}/leaves", leaves, "Who is away when 请假记录", READ, query=LeaveQuery, answer=LeavePage),
    Route(
        "POST", f"{V1}/leaves", add_leave, "Leave, with a stand-in 请假与替班", MANAGE, body=NewLeave, answer=Leave,
        statuses=(201,),
    ),
    Route("DELETE", f"{V1}/leaves/{{leave}}", remove_leave, "Take a leave back 销假", MANAGE, statuses=(204,)),
    Route(
        "GET", f"{V1}/rosters/{{unit}}", on_duty, "Who is on duty in a unit, and its vacant posts 值班表", READ,
        query=At, answer=Roster,
    ),
]  # fmt: skip
