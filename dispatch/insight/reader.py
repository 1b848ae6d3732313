"""Who reads: the scope of a principal as the arrays that every reading statement takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dispatch.city.model import City
from dispatch.people.principal import Principal
from dispatch.people.scope import Scope, scope_of

# Before everything: from where a list of oldest first begins.
LONG_AGO: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Reader:
    """A principal's view.

    `units` is None for the whole city; `restricted`: a named reader of restricted cases; `head_of`: the unit whose head
    may read those that it leads; `above` are the units whose complaints it must not see.
    """

    principal: Principal
    scope: Scope
    units: list[str] | None
    areas: list[str]
    restricted: bool
    head_of: str | None
    above: list[str]


def reader(principal: Principal, city: City) -> Reader:
    """The view of a principal in the city's present version."""
    scope = scope_of(principal, city.units)
    whole = scope.units is None or scope.areas is None
    areas = [] if whole else [a for a in city.map.areas.areas if not scope.areas.isdisjoint(city.map.areas.path(a))]  # type: ignore[union-attr]
    above = list(city.units.path(principal.unit)) if principal.unit in city.units else []
    return Reader(
        principal,
        scope,
        None if whole else sorted(scope.units or ()),
        areas,
        "restricted.read" in principal.permissions,
        principal.unit if "unit_head" in principal.roles else None,
        above,
    )
