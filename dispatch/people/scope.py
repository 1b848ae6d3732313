"""Which cases a principal sees, beside what it may do with them (数据范围)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from dispatch.people.principal import Principal

# Roles that watch over a territory, whatever unit they sit in.
WATCHING = frozenset({"supervisor", "commander"})
# Roles that work for a territory if their unit does; in a department they work for the department.
DESK_WORK = frozenset({"operator", "dispatcher", "reviewer", "followup"})
TERRITORIAL_UNITS = frozenset({"government", "hotline", "dispatch", "district", "street", "community"})
CITY_LEVEL = 1


class Unit(Protocol):
    """What a scope needs to know of a unit."""

    @property
    def kind(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def area(self) -> str | None: ...


class Units(Protocol):
    """What a scope needs to know of the unit tree."""

    def get(self, code: str) -> Unit | None: ...
    def subtree(self, code: str) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """Cases of any of `units`, or at a place in any of `areas`; None means every case.

    `units` are all codes of a subtree, `areas` the topmost codes: what lies below them is meant too.
    """

    units: frozenset[str] | None
    areas: frozenset[str] | None

    def sees(self, units: Collection[str], area_path: Collection[str]) -> bool:
        """Whether a case is in scope: its owner and the units of its assignments, and its area with all above it."""
        if self.units is None or self.areas is None:
            return True
        return not self.units.isdisjoint(units) or not self.areas.isdisjoint(area_path)


WHOLE_CITY = Scope(None, None)
NOTHING = Scope(frozenset(), frozenset())


def scope_of(principal: Principal, units: Units) -> Scope:
    """The scope of a principal in this version of the city; nothing if its unit is no more in it.

    | role                                     | its unit                            | sees                    |
    |------------------------------------------|-------------------------------------|-------------------------|
    | supervisor, commander                    | city level                          | every case              |
    |                                          | below                               | its area, subtree       |
    | operator, dispatcher, reviewer, followup | government, hotline, dispatch, city | every case              |
    |                                          | district, street, community         | its area, subtree       |
    |                                          | department, utility                 | its subtree             |
    | any other                                | any                                 | its subtree             |
    """
    unit = units.get(principal.unit)
    if unit is None:
        return NOTHING
    below = units.subtree(principal.unit)
    for_territory = principal.roles & WATCHING or (principal.roles & DESK_WORK and unit.kind in TERRITORIAL_UNITS)
    if for_territory and unit.level == CITY_LEVEL:
        return WHOLE_CITY
    return Scope(below, frozenset({unit.area} if for_territory and unit.area else ()))


def may_read_restricted(principal: Principal, in_scope: bool, lead: str | None) -> bool:
    """Whether a restricted case may be read: by a named reader who has it in scope, or by the head of its lead unit."""
    if "restricted.read" in principal.permissions and in_scope:
        return True
    return lead is not None and lead == principal.unit and "unit_head" in principal.roles


def is_complained_about(principal: Principal, about: str | None, units: Units) -> bool:
    """Whether a case complains about the principal's unit or one above it: then nothing of the caller may reach it."""
    if about is None:
        return False
    return principal.unit == about or (units.get(about) is not None and principal.unit in units.subtree(about))
