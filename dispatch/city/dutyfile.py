"""`duty.csv`: the duty book (权责清单) as a person writes it.

As `lead` and among `assists` a line may name `@community`, `@street` or `@district`: the unit of that kind that answers
for the place of the report. Where the place has no such unit, or there is no place, it assists nobody and a line that
it leads does not apply.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from typing import Final

from dispatch.city.rows import DutyRow
from dispatch.city.tables import Line
from dispatch.city.units import UnitKind, UnitTree
from gridmap.duty import NO_ATTRIBUTES, Choice, DutyBook, DutyRule, rule_faults
from sla.errors import Fault

FILE: Final = "duty.csv"
LOCAL: Final[dict[str, UnitKind]] = {"@district": "district", "@street": "street", "@community": "community"}


class CityDutyBook(DutyBook):
    """A duty book whose rules may name the local units; a choice names real ones."""

    def __init__(self, rules: Iterable[DutyRule], fallback: str, units: UnitTree) -> None:
        """Raises `gridmap.errors.BadCondition`."""
        super().__init__(rules, fallback, units.local_offices())
        self._units = units

    def route(
        self,
        category_path: tuple[str, ...],
        area_path: tuple[str, ...],
        day: date,
        excluded: AbstractSet[str] = frozenset(),
        attributes: Mapping[str, str] = NO_ATTRIBUTES,
    ) -> Choice:
        """As `DutyBook.route`; a local unit that does not exist for the place counts as excluded."""
        here = {word: self._units.nearest(area_path, kind) for word, kind in LOCAL.items()}
        absent = {word for word, unit in here.items() if unit is None or unit in excluded}
        choice = super().route(category_path, area_path, day, excluded | absent, attributes)
        lead = here.get(choice.lead) or choice.lead
        assists = dict.fromkeys(here.get(unit) or unit for unit in choice.assists)
        return replace(choice, lead=lead, assists=tuple(unit for unit in assists if unit != lead))


def duty_rules(lines: Iterable[Line[DutyRow]]) -> tuple[DutyRule, ...]:
    """The rules of the lines, in their order."""
    return tuple(_rule(line.row) for line in lines)


def duty_faults(
    lines: Iterable[Line[DutyRow]], categories: AbstractSet[str], areas: AbstractSet[str], units: AbstractSet[str]
) -> Iterator[Fault]:
    """What is wrong with each line: ids used twice, dates, conditions, unknown codes and units.

    A set of codes that is empty could not be read, which is a fault already; then nothing is said to be missing from
    it.
    """
    seen: dict[str, int] = {}
    for line in lines:
        row = line.row
        if (first := seen.setdefault(row.rule, line.number)) != line.number:
            yield Fault(FILE, line.number, "rule", f"{row.rule}: is also on line {first}")
        if categories and row.category not in categories:
            yield Fault(FILE, line.number, "category", f"{row.category}: no such category")
        if areas and row.area and row.area not in areas:
            yield Fault(FILE, line.number, "area", f"{row.area}: no such area")
        for field, unit in (("lead", row.lead), *(("assists", unit) for unit in row.assists)):
            if units and unit not in units and unit not in LOCAL:
                yield Fault(FILE, line.number, field, f"{unit}: no such unit")
        if row.lead in row.assists or len(set(row.assists)) < len(row.assists):
            yield Fault(FILE, line.number, "assists", "names a unit twice")
        for fault in rule_faults([_rule(row)]):
            if fault.problem == "bad_condition":
                yield Fault(FILE, line.number, "condition", f"{row.condition!r}: is not key=value")
            else:
                yield Fault(FILE, line.number, "valid_to", f"{row.valid_to} is before valid_from {row.valid_from}")


def _rule(row: DutyRow) -> DutyRule:
    return DutyRule(
        rule=row.rule,
        category=row.category,
        area=row.area or None,
        condition=row.condition or None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        lead=row.lead,
        assists=row.assists,
    )
