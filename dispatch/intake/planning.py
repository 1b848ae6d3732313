"""What a batch would become: decided in order of arrival on what is visible under its neighbourhoods, changing nothing yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from dispatch.domain.cases import Case
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.intake.candidates import Candidate, Candidates, Prepared
from dispatch.intake.desk import Desk
from dispatch.intake.locate import degrees
from dispatch.intake.match import Match, match
from dispatch.intake.words import packed
from dispatch.people import vault
from dispatch.store.pool import Executor
from dispatch.store.statements import load

SQL = load(__file__, "intake")


def standing(at: Candidate | Case) -> tuple[Any, ...]:
    """What a decision about a case depends on, as it was found or as it is held."""
    return at.is_open, at.closed_at, at.solved, at.category, at.kin


async def candidates(connection: Executor, desk: Desk, items: list[Prepared]) -> list[Candidate]:
    """Cases that any of these reports could be about, and those that a person said they are about."""
    likely = await _likely(connection, desk, items) if desk.city.automatic.match else []
    named = sorted({i.directive.joins for i in items if i.directive.joins is not None} - {c.id for c in likely})
    if not named:
        return likely
    persons = sorted({i.reading.identity.person for i in items if i.reading.identity})
    return likely + [_found(row) for row in await connection.fetch(SQL.named_candidates, named, persons)]


async def _likely(connection: Executor, desk: Desk, items: list[Prepared]) -> list[Candidate]:
    rules = desk.city.matching
    compared = [i for i in items if not i.restricted]
    tiles = sorted(
        {(t, kin, *_box(i, rules.radius_m)) for i in compared if i.category for t in i.tiles for kin in (i.kin, "")}
    )
    unknown = sorted({(t, *_box(i, rules.radius_m)) for i in compared if not i.category for t in i.tiles})
    persons = {i.reading.identity.person for i in compared if i.reading.identity}
    akin = sorted({(i.place.area, i.category.kin) for i in compared if not i.tiles and i.place.area and i.category})
    told = [
        (n, run, rare)
        for n, item in enumerate(items)
        if not item.restricted
        for run, rare in item.weighed.leading.items()
    ]
    if not (tiles or unknown or persons or akin or told):
        return []
    days = max([rules.days, *(i.placed.model.reach.days for i in compared if i.placed)])
    since = min(i.reading.received_at or desk.clock.wall() for i in compared) - timedelta(days=days + 1)
    rows = await connection.fetch(
        SQL.candidates,
        *_columns(tiles, 6),
        *_columns(unknown, 5),
        sorted(persons),
        [a for a, _ in akin],
        [k for _, k in akin],
        since,
        *_columns(told, 3),
        *_columns(_closed(compared, rules.radius_m), 7),
        min(item.least for item in compared),
    )
    return [_found(row) for row in rows]


def _found(row: asyncpg.Record) -> Candidate:
    """A candidate from the columns of `candidates`, which stand in the order of its fields."""
    found = Candidate(*row)
    found.persons = set(found.persons or ())
    return found


def _closed(items: Sequence[Prepared], radius_m: float) -> list[tuple[Any, ...]]:
    """Where closed cases are looked for too, and since when: of what is judged without words."""
    return sorted(
        (t, i.kin, *_box(i, radius_m), i.placed.case.opened_at - timedelta(days=i.placed.model.reach.closed_days))
        for i in items
        if i.placed
        for t in i.tiles
    )


def _box(item: Prepared, radius_m: float) -> tuple[float, float, float, float]:
    """West, south, east and north of what a report is compared with, in degrees."""
    place = item.place
    assert place.lon is not None
    assert place.lat is not None
    across, up = degrees(place.lat, max(radius_m, item.placed.model.reach.metres) if item.placed else radius_m)
    return place.lon - across, place.lat - up, place.lon + across, place.lat + up


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[n] for row in rows] for n in range(count)]


@dataclass(slots=True)
class Plan:
    """What one report of a batch becomes: its match, the case it joins (a negative id: one opened by this batch), or its own."""

    match: Match
    target: Candidate | None
    own: Candidate | None
    reopens: bool = False
    new_person: bool = False


def plan(
    items: Sequence[Prepared], known: Sequence[Candidate], desk: Desk
) -> tuple[list[Plan], dict[int, tuple[Any, ...]]]:
    """Decides the batch in order of arrival; an earlier report's case is a candidate for a later one.

    Also says how the existing cases that reports join stood when they were found: `known` is used up.
    """
    found_by, named = Candidates(known, items), {c.id: c for c in known}
    plans: list[Plan] = []
    seen: dict[int, tuple[Any, ...]] = {}
    for index, item in enumerate(items):
        identity, at = item.reading.identity, item.reading.received_at or desk.clock.wall()
        found = _joining(item, named) or match(item, found_by, desk.city, at, desk.lessons, desk.asked)
        if item.directive.hold and found.candidate is not None:
            found = replace(found, verdict="new", suggested=True)
        if found.attaches and found.candidate is not None:
            target = found.candidate
            if target.id > 0:
                seen.setdefault(target.id, standing(target))
            one = Plan(found, target, None, not target.is_open, _is_another(identity, target))
            target.is_open = True
        else:
            own = _candidate(item, -1 - index, at)
            one = Plan(found, None, own)
            if not item.restricted:
                found_by.add(own)
            target = own
        if identity is not None:
            found_by.joined_by(target, identity.person)
        plans.append(one)
    return plans, seen


def _joining(item: Prepared, named: Mapping[int, Candidate]) -> Match | None:
    """The match that a person made, whatever the score. Raises BadInput, RuleBroken for a case that no call can join."""
    if item.directive.joins is None:
        return None
    case = named.get(item.directive.joins)
    if case is None:
        raise BadInput(field="case_no", problem="there is no case here that a call can join")
    if not case.is_open:
        raise RuleBroken(problem="the case is closed or merged; calls join open ones", field="case_no")
    if item.restricted:
        raise RuleBroken(problem="a restricted report never joins another case", field="report")
    if item.about is not None and item.about != case.about:
        raise RuleBroken(problem="the case may be in the hands of the unit complained about", field="report.about.unit")
    identity = item.reading.identity
    verdict = "repeat" if identity is not None and identity.person in case.persons else "joined"
    return Match(verdict, 1.0, False, case, ("attached by hand",))


def _is_another(identity: vault.Identity | None, target: Candidate) -> bool:
    """Whether the case has one more person now; somebody without a valid number may well be one of those it has."""
    return identity is not None and identity.phone is not None and identity.person not in target.persons


def _candidate(item: Prepared, id: int, at: datetime) -> Candidate:
    place, category, identity = item.place, item.category, item.reading.identity
    case = item.placed.case if item.placed else None
    return Candidate(
        id, "", True, category.code if category else None, item.kin, place.lon, place.lat, place.area, at, None, None,
        packed(item.reading.words), {identity.person} if identity else set(), item.about, item.object,
        ways=item.weighed.ways, address=case.address.whole if case else "", streets=tuple(case.address.streets) if case else (),
        crowd=case.crowd if case else 0, around=case.around if case else 0,
    )  # fmt: skip
