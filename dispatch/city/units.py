"""Units (承办单位): departments, utilities, districts, streets and communities, as one tree."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from dispatch.city.errors import UnknownUnit
from dispatch.city.signoff import SignStep

UnitKind = Literal["government", "hotline", "dispatch", "department", "utility", "district", "street", "community"]

# Who answers for a place when no rule does (属地兜底). A community committee does not: several cities' hotline
# regulations forbid handing it matters outside its own list, so it gets only what the duty book names.
LOCAL_KINDS: Final[tuple[UnitKind, ...]] = ("street", "district")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. `level` is 1 for the city, 2 district, 3 street, 4 community; `area` is the area it answers for.

    `signoff` are the steps by which a reply of it becomes its word (签批); without one it does when it is written.
    """

    code: str
    name: str
    parent: str | None
    level: int
    kind: UnitKind
    area: str | None
    signoff: tuple[SignStep, ...] = ()


class UnitTree:
    """Immutable tree of units; parents must exist and form no cycle."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units: Mapping[str, Unit] = MappingProxyType({unit.code: unit for unit in units})
        self._paths = {code: tuple(self._upwards(code)) for code in self.units}
        below: dict[str, set[str]] = {code: set() for code in self.units}
        for code, path in self._paths.items():
            for ancestor in path:
                below[ancestor].add(code)
        self._subtrees = {code: frozenset(codes) for code, codes in below.items()}
        self._of_area = {(unit.area, unit.kind): unit.code for unit in self.units.values() if unit.area}

    def __iter__(self) -> Iterator[Unit]:
        return iter(self.units.values())

    def __contains__(self, code: str) -> bool:
        return code in self.units

    def get(self, code: str) -> Unit | None:
        """The unit, None if the city has none of this code."""
        return self.units.get(code)

    def path(self, code: str) -> tuple[str, ...]:
        """The unit and its superiors, the unit itself first; raises `UnknownUnit`."""
        try:
            return self._paths[code]
        except KeyError:
            raise UnknownUnit(code) from None

    def subtree(self, code: str) -> frozenset[str]:
        """The unit and everything below it; raises `UnknownUnit`."""
        try:
            return self._subtrees[code]
        except KeyError:
            raise UnknownUnit(code) from None

    def signers(self, code: str) -> tuple[tuple[str, str], ...]:
        """Unit and role of each step by which a reply of the unit is signed, in order; none for a unit that is not in the city."""
        unit = self.units.get(code)
        steps = unit.signoff if unit else ()
        return tuple((unit.parent if step.above and unit.parent else code, step.role) for step in steps if unit)

    def nearest(self, area_path: tuple[str, ...], kind: UnitKind) -> str | None:
        """The unit of one kind that answers for the first area of the path that has one."""
        return next((unit for area in area_path if (unit := self._of_area.get((area, kind)))), None)

    def local(self, area_path: tuple[str, ...]) -> str | None:
        """The office that answers for a place (属地): its street's, else its district's."""
        return next((unit for kind in LOCAL_KINDS if (unit := self.nearest(area_path, kind))), None)

    def answering(self, area_path: tuple[str, ...]) -> frozenset[str]:
        """Every unit that answers for the place or an area around it, up to its district."""
        kinds: tuple[UnitKind, ...] = ("community", *LOCAL_KINDS)
        return frozenset(unit for kind in kinds if (unit := self.nearest(area_path, kind)))

    def local_offices(self) -> dict[str, str]:
        """Area code → the office that answers for it, for every area that has one."""
        return {area: unit for (area, kind), unit in self._of_area.items() if area and kind in LOCAL_KINDS}

    def _upwards(self, code: str) -> Iterator[str]:
        step: str | None = code
        while step is not None:
            yield step
            step = self.units[step].parent
