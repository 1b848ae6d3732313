"""The knowledge base (知识库, S61): answers that operators give at once, by version; a version never changes once it is written.

An article belongs to a unit, which keeps it true: it is valid until a day, after which nobody is offered it and its owner is
told once. It may be for a category and an area with all that lies below them, or for every one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
from msgspec import Meta, Struct

from dispatch.casework.actions import Workplace
from dispatch.city.model import City
from dispatch.desk.codes import below, known_area, known_category, without_numbers
from dispatch.domain.errors import BadInput, NotFound, NotPermitted, VersionMissing, VersionStale
from dispatch.insight.cases import as_query
from dispatch.intake.read import SEARCHED, normalise, tokens
from dispatch.notices import post
from dispatch.notices.post import Told
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "knowledge")
LAST = 2**63 - 1
# So much of what a caller says is compared while it is typed, and so many articles are offered beside it.
HEARD, OFFERED = 120, 3
Code = Annotated[str, Meta(min_length=1, max_length=64)]


class Writing(Struct, frozen=True, forbid_unknown_fields=True):
    """An article as it is written; `unit` owns it, and it is offered until `valid_until`."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(min_length=2, max_length=20_000)]
    unit: Code
    valid_until: Annotated[datetime, Meta(tz=True)]
    category: Code | None = None
    area: Code | None = None


class Article(Struct, frozen=True):
    """One version of an article, whole."""

    id: int
    version: int
    title: str
    text: str
    category: str | None
    area: str | None
    unit: str
    valid_until: datetime
    written_by: str
    written_at: datetime
    is_current: bool
    stale: bool
    flagged_at: datetime | None


class Found(Struct, frozen=True):
    """An article in a list: how its text begins, and when its owner was told that it is stale."""

    id: int
    version: int
    title: str
    excerpt: str
    category: str | None
    area: str | None
    unit: str
    valid_until: datetime
    written_at: datetime
    stale: bool
    flagged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of articles is narrowed to; `stale`: those that ran out, in place of those that are valid."""

    q: str | None = None
    category: str | None = None
    area: str | None = None
    unit: str | None = None
    stale: bool = False


async def articles(at: Workplace, wanted: Wanted, after: int | None, limit: int) -> list[Found]:
    """A page of articles, newest first, after the article with id `after`. Raises BadInput for a code that is none."""
    city, plain = at.cities.current, normalise(wanted.q or "")
    if wanted.unit is not None and wanted.unit not in city.units:
        raise BadInput(field="unit", problem="is not a unit of this city")
    rows = await at.pool.fetch(
        SQL.articles, after or LAST, await at.clock.now(at.pool), wanted.stale, below(known_category(city, wanted.category)),
        below(known_area(city, wanted.area)), sorted(city.units.subtree(wanted.unit)) if wanted.unit else None,
        as_query(plain) if plain else None, limit,
    )  # fmt: skip
    return [Found(**row) for row in rows]


async def offered(at: Workplace, text: str, category: Sequence[str], area: Sequence[str]) -> list[Found]:
    """The few valid articles that fit best what a caller says, whose personal numbers are masked already."""
    heard = tokens(normalise(text)[:HEARD])
    quoted = " | ".join(as_query(word) for word in heard if len(word) == 2)
    now = await at.clock.now(at.pool)
    rows = await at.pool.fetch(SQL.offered, now, below(category), below(area), heard, quoted, OFFERED)
    return [Found(**row) for row in rows]


async def article(at: Workplace, id: int, version: int | None = None) -> Article:
    """One version, also an old one; without a number the one in use. Raises NotFound."""
    row = await at.pool.fetchrow(SQL.article, id, version, await at.clock.now(at.pool))
    if row is None:
        raise NotFound(noun="article", key=str(id))
    return Article(**row)


async def add(at: Workplace, writing: Writing, by: Principal) -> Article:
    """A new article. Raises BadInput naming the field, NotPermitted for the unit of somebody else."""
    async with at.pool.acquire() as connection, connection.transaction():
        id: int = await connection.fetchval(SQL.next_id)
        await _write(connection, at, id, 1, writing, by)
    return await article(at, id, 1)


async def rewrite(at: Workplace, id: int, writing: Writing, by: Principal, if_match: str | None) -> Article:
    """A new version in place of the one that `if_match` names. Raises what `add` does, NotFound, VersionMissing, VersionStale."""
    async with at.pool.acquire() as connection, connection.transaction():
        version = (await _held(connection, at.cities.current, id, by))["version"]
        if if_match is None:
            raise VersionMissing(current_version=version)
        if if_match.strip().removeprefix("W/").strip('"') != str(version):
            raise VersionStale(current_version=version)
        await connection.execute(SQL.retire, id)
        await _write(connection, at, id, version + 1, writing, by)
    return await article(at, id, version + 1)


async def take_back(at: Workplace, id: int, by: Principal) -> None:
    """Nobody is offered it any more; every version stays readable by its number. Raises NotFound, NotPermitted."""
    async with at.pool.acquire() as connection, connection.transaction():
        await _held(connection, at.cities.current, id, by)
        await connection.execute(SQL.retire, id)


async def flag(connection: Connection, now: datetime) -> int:
    """Tells the owners of articles that ran out, once a version; says how many articles that were."""
    stale = await connection.fetch(SQL.flag, now)
    told = [
        Told(f"article:{row['id']}:{row['version']}", row["unit"], ("unit_head",), "article_stale",
             {"article": row["id"], "version": row["version"], "valid_until": row["valid_until"]})
        for row in stale
    ]  # fmt: skip
    await post.tell(connection, told, now)
    return len(stale)


async def _held(connection: Connection, city: City, id: int, by: Principal) -> asyncpg.Record:
    """The version in use, held against others who would change it."""
    await connection.fetchrow(SQL.hold_article, id)
    row = await connection.fetchrow(SQL.current, id)
    if row is None:
        raise NotFound(noun="article", key=str(id))
    _own(city, row["unit"], by)
    return row


def _own(city: City, unit: str, by: Principal) -> None:
    """The desk keeps every unit's articles; a unit those of its own subtree."""
    mine = city.units.subtree(by.unit) if by.unit in city.units else frozenset()
    if "dispatcher" not in by.roles and unit not in mine:
        raise NotPermitted(permission=f"knowledge.write for {unit}", field="unit")


async def _write(
    connection: Connection, at: Workplace, id: int, version: int, writing: Writing, by: Principal
) -> None:  # fmt: skip
    city, now = at.cities.current, await at.clock.now(connection)
    if writing.unit not in city.units:
        raise BadInput(field="unit", problem="is not a unit of this city")
    _own(city, writing.unit, by)
    known_category(city, writing.category)
    known_area(city, writing.area)
    without_numbers(title=writing.title, text=writing.text)
    if writing.valid_until <= now:
        raise BadInput(field="valid_until", problem="is over already")
    plain = normalise(f"{writing.title}\n{writing.text}")
    if len(plain) < 2:
        raise BadInput(field="text", problem="says nothing")
    searched = {
        word for start in range(0, len(plain), SEARCHED) for word in tokens(plain[start : start + SEARCHED + 1])
    }
    await connection.execute(
        SQL.write, id, version, writing.title, writing.text, writing.category, writing.area, writing.unit,
        writing.valid_until, sorted(searched), by.name, now,
    )  # fmt: skip
