"""What changed from one version of a city to another."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

from dispatch.city.model import City


@dataclass(frozen=True, slots=True)
class Change:
    """Codes of one kind of thing, sorted: in the new version only, in the old one only, in both but not the same."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Difference:
    """Changes by kind. Categories stand as `code@version`, places by name and address, duty rules and policies by id, settings by their names."""

    units: Change
    areas: Change
    cells: Change
    categories: Change
    duty: Change
    policies: Change
    sensors: Change
    devices: Change
    gazetteer: Change
    accounts: Change
    return_reasons: Change
    endings: Change
    unsolved: Change
    suspensions: Change
    dangers: Change
    evidence: Change
    settings: Change

    def __bool__(self) -> bool:
        return any(getattr(self, kind) for kind in self.__slots__)

    def orphans(self, new: City) -> tuple[tuple[str, str], ...]:
        """Removed units and cells, as (kind, code), for which the new version names no successor."""
        removed = [("unit", code) for code in self.units.removed] + [("cell", code) for code in self.cells.removed]
        return tuple(each for each in removed if each not in new.successors)


def difference(old: City, new: City) -> Difference:
    """Everything that differs; two cities of the same files, in whatever versions, differ in nothing."""
    return Difference(
        units=_change(old.units.units, new.units.units),
        areas=_change(old.map.areas.areas, new.map.areas.areas),
        cells=_change({each.code: each for each in old.map.cells}, {each.code: each for each in new.map.cells}),
        categories=_change(_categories(old), _categories(new)),
        duty=_change({each.rule: each for each in old.duty_rules}, {each.rule: each for each in new.duty_rules}),
        policies=_change(_policies(old), _policies(new)),
        sensors=_change(old.sensors.types, new.sensors.types),
        devices=_change(old.devices, new.devices),
        gazetteer=_change(_places(old), _places(new)),
        accounts=_change(_accounts(old), _accounts(new)),
        return_reasons=_change(old.return_reasons, new.return_reasons),
        endings=_change(old.endings, new.endings),
        unsolved=_change(old.unsolved, new.unsolved),
        suspensions=_change(old.suspensions, new.suspensions),
        dangers=_change(old.dangers.by_code, new.dangers.by_code),
        evidence=_change(old.evidence.rows, new.evidence.rows),
        settings=_change(_settings(old), _settings(new)),
    )


def _change(old: Mapping[str, object], new: Mapping[str, object]) -> Change:
    return Change(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(code for code in old.keys() & new.keys() if old[code] != new[code])),
    )


def _categories(city: City) -> dict[str, object]:
    return {f"{each.code}@{each.table_version}": each for each in city.categories}


def _places(city: City) -> dict[str, object]:
    """By name, and by address where the name stands more than once."""
    return {f"{each.name} {each.address}".strip(): each for each in city.gazetteer.entries}


def _accounts(city: City) -> dict[str, object]:
    return {each.username: each for each in city.demo_accounts}


def _policies(city: City) -> dict[str, object]:
    """The rows without their place in the file, and the ladder as one."""
    return {**{each.id: replace(each, line=0) for each in city.policies.policies}, "ladder": city.ladder}


def _settings(city: City) -> dict[str, Hashable]:
    return {
        "name": city.name,
        "code": city.code,
        "time_zone": city.tz.key,
        "desk": city.desk,
        "automatic": city.automatic,
        "matching": city.matching,
        "locating": city.locating,
        "casework": city.casework,
        "indicators": city.indicators,
        "files": city.files,
        "retention": city.retention,
        "calendar.slots": city.calendar.days.hours,
        "calendar.days": city.calendar.days.special,
        "calendar.years": city.calendar.days.years,
        "calendar.groups": tuple(
            (unit, each.days.hours, each.days.special) for unit, each in sorted(city.calendars.by_unit.items())
        ),
        "cells.border_m": city.map.border_m,
        "codes.current": tuple(sorted(city.categories.current.items())),
    }
