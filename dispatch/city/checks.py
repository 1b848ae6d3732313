"""Faults between the files of a city: unknown codes and units, areas that do not fit, gaps in the duty book."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import msgspec

from dispatch.city.areas import AreaFile
from dispatch.city.draft import (
    ACCOUNTS,
    DANGERS,
    DEVICES,
    ENDINGS,
    EVIDENCE,
    POLICIES,
    RETURNS,
    SENSORS,
    SUCCESSORS,
    SUSPENSIONS,
    UNSOLVED,
    Draft,
)
from dispatch.city.dutyfile import CityDutyBook, duty_faults, duty_rules
from dispatch.city.endings import plain
from dispatch.city.gazetteers import FILE as GAZETTEER
from dispatch.city.rows import DutyRow
from dispatch.city.settings import FILE as SETTINGS
from dispatch.city.settings import Settings, line_of
from dispatch.city.tables import Line
from gridmap.areas import AreaTree
from gridmap.cells import Cell
from gridmap.duty import DutyBook, parse_condition
from gridmap.errors import BadCondition
from sla.errors import Fault

NO_PLACE: Final = "no place"
# Who decides what a handler asks for; the desk always does, and last.
REQUEST_STEPS: Final = (("dispatch",), ("unit_head", "dispatch"))


def check(draft: Draft, cells: Iterable[Cell], day: date) -> Iterator[Fault]:
    """Every fault between the files; those inside one file are in `draft.faults` already."""
    names, areas = draft.codes.names(), draft.areas.lines.keys() if draft.areas else frozenset[str]()
    yield from duty_faults(draft.duty, names, areas, draft.units.units.keys())
    yield from _unknown(draft)
    yield from _twice(draft)
    yield from _signs(draft)
    yield from _successors(draft, {cell.code for cell in cells})
    if draft.settings:
        yield from _settings(draft, draft.settings)
    if draft.areas and draft.areas.tree:
        yield from draft.areas.misfits()
        yield from _places(draft, draft.areas.tree)
        if draft.settings and draft.units.units:
            yield from _coverage(draft, draft.settings, draft.areas, draft.areas.tree, day)


def _unknown(draft: Draft) -> Iterator[Fault]:
    categories, types = draft.codes.categories, {line.row.type for line in draft.sensors}
    tree = draft.areas.tree if draft.areas else None
    for sensor in draft.sensors:
        if len(categories) and categories.get(sensor.row.category) is None:
            yield Fault(SENSORS, sensor.number, "category", f"{sensor.row.category}: no such category")
    for device in draft.devices:
        if types and device.row.type not in types:
            yield Fault(DEVICES, device.number, "type", f"{device.row.type}: no such sensor type")
        if tree and tree.locate(device.row.lon, device.row.lat) is None:
            yield Fault(DEVICES, device.number, "lon", f"{device.row.code}: stands outside the city")
    for account in draft.accounts:
        if draft.units.units and account.row.unit not in draft.units:
            yield Fault(ACCOUNTS, account.number, "unit", f"{account.row.unit}: no such unit")
    names = draft.codes.names()
    for line in draft.evidence:
        if names and line.row.category not in names:
            yield Fault(EVIDENCE, line.number, "category", f"{line.row.category}: no such category")
        if line.row.within_m is not None and "photo_after" not in line.row.needs:
            yield Fault(EVIDENCE, line.number, "within_m", "is of a photo_after, which is not needed here")
    for policy in draft.policies.policies if draft.policies else ():
        for code in policy.categories:
            if names and code not in names:
                yield Fault(POLICIES, policy.line, "category", f"{code}: no such category")
        for code in policy.areas:
            if tree and code not in tree:
                yield Fault(POLICIES, policy.line, "area", f"{code}: no such area")


def _places(draft: Draft, tree: AreaTree) -> Iterator[Fault]:
    """Places of the gazetteer in an area that there is not, and outside the area that they name."""
    for line in draft.gazetteer:
        row, there = line.row, tree.locate(line.row.lon, line.row.lat)
        if row.area not in tree:
            yield Fault(GAZETTEER, line.number, "area", f"{row.area}: no such area")
        elif there is None or row.area not in tree.path(there):
            yield Fault(GAZETTEER, line.number, "lon", f"{row.name}: stands outside {row.area}")


def _twice(draft: Draft) -> Iterator[Fault]:
    keys = {
        (SENSORS, "type"): [(line.number, line.row.type) for line in draft.sensors],
        (SENSORS, "cleared_by"): [(line.number, line.row.cleared_by) for line in draft.sensors if line.row.cleared_by],
        (DEVICES, "code"): [(line.number, line.row.code) for line in draft.devices],
        (ACCOUNTS, "username"): [(line.number, line.row.username) for line in draft.accounts],
        (RETURNS, "code"): [(line.number, line.row.code) for line in draft.returns],
        (ENDINGS, "code"): [(line.number, line.row.code) for line in draft.endings],
        (ENDINGS, "words"): [(line.number, plain(word)) for line in draft.endings for word in line.row.words],
        (UNSOLVED, "code"): [(line.number, line.row.code) for line in draft.unsolved],
        (SUSPENSIONS, "code"): [(line.number, line.row.code) for line in draft.suspensions],
        (DANGERS, "code"): [(line.number, line.row.code) for line in draft.dangers],
        (EVIDENCE, "category"): [(line.number, line.row.category) for line in draft.evidence],
        (SUCCESSORS, "code"): [(line.number, f"{line.row.kind} {line.row.code}") for line in draft.successors],
    }
    for (file, field), found in keys.items():
        seen: dict[str, int] = {}
        for number, key in found:
            if (first := seen.setdefault(key, number)) != number:
                yield Fault(file, number, field, f"{key}: is also on line {first}")


def _signs(draft: Draft) -> Iterator[Fault]:
    """Words that suggest an ending, and those that speak against it, where they cannot do anything."""
    for line in draft.endings:
        row = line.row
        signs = bool(row.words) or row.under_yuan is not None
        if row.action == "end" and signs:
            yield Fault(ENDINGS, line.number, "words", f"{row.code}: only reject and refer are suggested")
        if row.unless and not signs:
            yield Fault(ENDINGS, line.number, "unless", "speaks against nothing: there are no words and no under_yuan")
        for word in row.words:
            against = next((each for each in row.unless if plain(each) in plain(word)), None)
            if against is not None:
                yield Fault(ENDINGS, line.number, "unless", f"{against}: stands in {word}, which never speaks then")


def _successors(draft: Draft, cells: set[str]) -> Iterator[Fault]:
    """A successor must exist, and what it replaces must not."""
    for line in draft.successors:
        row = line.row
        present = cells if row.kind == "cell" else draft.units
        if row.successor not in present:
            yield Fault(SUCCESSORS, line.number, "successor", f"{row.successor}: no such {row.kind}")
        if row.code in present:
            yield Fault(SUCCESSORS, line.number, "code", f"{row.code}: is still a {row.kind}, so it has no successor")


def _settings(draft: Draft, settings: Settings) -> Iterator[Fault]:
    text = (draft.files.get(SETTINGS) or b"").decode("utf-8-sig")
    for desk, unit in msgspec.structs.asdict(settings.desk).items():
        if draft.units.units and unit and unit not in draft.units:
            yield Fault(SETTINGS, line_of(text, f"desk.{desk}"), f"desk.{desk}", f"{unit}: no such unit")
    if draft.areas and settings.code not in draft.areas.lines:
        yield Fault(SETTINGS, line_of(text, "code"), "code", f"{settings.code}: no such area")
    if settings.matching.suggest > settings.matching.attach:
        path = "matching.suggest"
        yield Fault(SETTINGS, line_of(text, path), path, "is above matching.attach")
    if settings.casework.request_steps not in REQUEST_STEPS:
        path = "casework.request_steps"
        yield Fault(SETTINGS, line_of(text, path), path, 'is neither ["dispatch"] nor ["unit_head", "dispatch"]')


def _coverage(draft: Draft, settings: Settings, areas: AreaFile, tree: AreaTree, day: date) -> Iterator[Fault]:
    """Categories that on `day` only a fallback answers, in some lowest area or without a place where none is needed."""
    categories = draft.codes.categories
    book = CityDutyBook(duty_rules(_readable(draft.duty)), settings.desk.fallback, draft.units)
    places = [(), *(tree.path(area.code) for area in areas.lowest())]
    named = {line.row.category for line in draft.duty}
    gaps: dict[tuple[str, ...], list[str]] = {}
    for category in categories:
        path = categories.path(category.code, category.table_version)
        # Categories that no rule tells apart have the same gaps.
        known = tuple(code for code in path if code in named)
        if known not in gaps:
            gaps[known] = _gaps(book, known, places, day)
        missed = [area for area in gaps[known] if area != NO_PLACE or category.routes != "by_place"]
        if missed:
            file, line = draft.codes.places[category.code, category.table_version]
            where = ", ".join(missed[:3]) + (f" and {len(missed) - 3} more" if len(missed) > 3 else "")
            yield Fault(file, line, "code", f"{category.code} {category.name}: only the fallback answers in {where}")


def _gaps(book: DutyBook, path: tuple[str, ...], places: Sequence[tuple[str, ...]], day: date) -> list[str]:
    """The lowest areas, or `NO_PLACE`, in which no rule answers."""
    return [place[0] if place else NO_PLACE for place in places if book.route(path, place, day).reason != "rule"]


def _readable(lines: Iterable[Line[DutyRow]]) -> Iterator[Line[DutyRow]]:
    """The lines without those whose condition cannot be read, which are reported already."""
    for line in lines:
        with suppress(BadCondition):
            parse_condition(line.row.condition or "any=any")
            yield line
