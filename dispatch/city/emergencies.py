"""Emergencies (应急状态) in force: how urgent what they cover is, and by which limits; a fact of the day like its work calendar.

| an emergency names      | covered is                                                                       |
|-------------------------|----------------------------------------------------------------------------------|
| categories              | these codes and all below them, in every table; a branch (`event`) covers its codes |
| areas                   | these areas and all below them; without any the whole city                        |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dispatch.city.categories import Categories, Urgency
from gridmap.areas import AreaTree
from sla.clocks import URGENCIES
from sla.limits import Limit

# The clocks for which an emergency may name a limit.
CLOCKS: Final = ("close", "reply", "sign")


@dataclass(frozen=True, slots=True)
class Emergency:
    """One that is in force: `kinds` are (code, table version), `areas` None everywhere; `limits` go by clock."""

    id: int
    urgency: Urgency
    limits: Mapping[str, Limit]
    kinds: frozenset[tuple[str, str]]
    areas: frozenset[str] | None

    @property
    def rule(self) -> str:
        """By what name a limit says that it comes from here."""
        return f"emergency:{self.id}"

    def covers(self, category: str | None, table: str | None, area: str | None) -> bool:
        """Whether it holds for a case of this category and area; for none whose category is not known."""
        return (category, table) in self.kinds and (self.areas is None or area in self.areas)


@dataclass(frozen=True, slots=True)
class Emergencies:
    """All that are in force; `changes` counts every start and end there ever was, so that two states compare."""

    active: tuple[Emergency, ...] = ()
    changes: int = 0

    def covering(self, category: str | None, table: str | None, area: str | None) -> tuple[Emergency, ...]:
        """Those that hold for a case of this category and area."""
        return tuple(each for each in self.active if each.covers(category, table, area))


PEACE: Final = Emergencies()


def resolved(
    id: int, urgency: Urgency, limits: Mapping[str, Limit], roots: Iterable[str], places: Iterable[str],
    categories: Categories, areas: AreaTree,
) -> Emergency:  # fmt: skip
    """An emergency with everything below what it names, by the tables of a city."""
    named, at = frozenset(roots), frozenset(places)
    kinds = {
        (each.code, each.table_version)
        for each in categories
        if named.intersection(categories.path(each.code, each.table_version))
    }
    below = {code for code in areas.areas if at.intersection(areas.path(code))} if at else None
    return Emergency(id, urgency, dict(limits), frozenset(kinds), None if below is None else frozenset(below))


def highest(*urgencies: str) -> str:
    """The most urgent of them."""
    return max(urgencies, key=URGENCIES.index)
