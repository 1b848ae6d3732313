"""A city being read: each part on its own, so that a fault in one does not hide those in the others."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dispatch.city.areas import AREAS, CELLS, AreaFile, read_cells
from dispatch.city.calendars import Calendars, calendars, work_days
from dispatch.city.codetables import CodeTables, read_code_tables
from dispatch.city.dangers import Danger, Dangers
from dispatch.city.dutyfile import FILE as DUTY
from dispatch.city.dutyfile import CityDutyBook, duty_rules
from dispatch.city.endings import Ending, Signs
from dispatch.city.evidence import Evidence, EvidenceBook
from dispatch.city.files import CONFIG, Files
from dispatch.city.gazetteers import FILE as GAZETTEER
from dispatch.city.gazetteers import city_gazetteer
from dispatch.city.model import (
    Account,
    City,
    Device,
    ReturnReason,
    SensorType,
    SensorTypes,
    SuspensionReason,
    UnsolvedReason,
)
from dispatch.city.rows import (
    AccountRow,
    DangerRow,
    DeviceRow,
    DutyRow,
    EndingRow,
    EvidenceRow,
    GazetteerRow,
    ReturnRow,
    SensorRow,
    SuccessorRow,
    SuspensionRow,
    UnitRow,
    UnsolvedRow,
)
from dispatch.city.settings import FILE as SETTINGS
from dispatch.city.settings import Settings, line_of, read_settings
from dispatch.city.signoff import SignStep, parse_steps
from dispatch.city.tables import Line, decode, read_table
from dispatch.city.trees import sound_parents
from dispatch.city.units import Unit, UnitTree
from gridmap.cells import Cell
from gridmap.index import GridMap
from sla.errors import Fault, RowFaults, SlaError
from sla.ladder import Ladder
from sla.policies import PolicyBook
from sla.years import Year, parse_years

UNITS: Final = "units.csv"
SENSORS: Final = "sensors.csv"
DEVICES: Final = "devices.csv"
ACCOUNTS: Final = "accounts.csv"
RETURNS: Final = "returns.csv"
ENDINGS: Final = "endings.csv"
SUSPENSIONS: Final = "suspensions.csv"
DANGERS: Final = "dangers.csv"
UNSOLVED: Final = "unsolved.csv"
EVIDENCE: Final = "evidence.csv"
SUCCESSORS: Final = "successors.csv"
POLICIES: Final = "policies.toml"
LADDER: Final = "ladder.toml"
HOLIDAYS: Final = "holidays.toml"

# One unit answers for an area of these kinds, so that the local unit of a place is never a guess.
ONE_PER_AREA: Final = ("district", "street", "community")

T = TypeVar("T", bound=msgspec.Struct)
B = TypeVar("B", PolicyBook, Ladder, tuple[Year, ...])


class Draft:
    """All parts of a city as far as they could be read, and `faults` with everything wrong in them."""

    def __init__(self, files: Files, *, kept: bool = False) -> None:
        """`kept`: files of a version that was put in force, maybe before a rule they would break today."""
        self.files = files
        self.faults: list[Fault] = []
        self.settings = self._settings()
        self.areas = self._areas()
        self.units = self._units()
        self.codes = self._codes()
        self.duty = self._table(DUTY, DutyRow)
        self.sensors = self._table(SENSORS, SensorRow, optional=True)
        self.devices = self._table(DEVICES, DeviceRow, optional=True)
        self.gazetteer = self._table(GAZETTEER, GazetteerRow, optional=True)
        self.accounts = self._table(ACCOUNTS, AccountRow, optional=True)
        self.returns = self._table(RETURNS, ReturnRow)
        self.endings = self._table(ENDINGS, EndingRow, optional=kept)
        self.suspensions = self._suspensions(kept=kept)
        self.dangers = self._table(DANGERS, DangerRow, optional=kept)
        self.unsolved = self._table(UNSOLVED, UnsolvedRow, optional=kept) or (_reasons() if kept else [])
        self.evidence = self._table(EVIDENCE, EvidenceRow, optional=True)
        self.successors = self._table(SUCCESSORS, SuccessorRow, optional=True)
        self.policies = self._book(POLICIES, PolicyBook.parse)
        if kept and self.policies is not None:
            self.policies = self.policies.completed(_defaults())
        self.ladder = self._book(LADDER, Ladder.kept if kept else Ladder.parse)
        self.calendars = self._calendars()

    def cells(self) -> list[Cell]:
        """The cells the city drew, or the squares of its lowest areas; their faults are added to `faults`."""
        if self.settings is None or self.areas is None or self.areas.tree is None:
            return []
        drawn = self.files.get(CELLS)
        if drawn is not None:
            return read_cells(drawn, self.areas.tree, self.faults)
        return self.areas.cut(self.settings.cells.size_m, self.faults)

    def city(self, version: int, cells: Sequence[Cell]) -> City | None:
        """The city, unless something it needs is missing."""
        settings, areas, calendars = self.settings, self.areas, self.calendars
        policies, ladder = self.policies, self.ladder
        if not (settings and areas and areas.tree and policies and ladder and calendars) or self.faults:
            return None
        rules = duty_rules(self.duty)
        endings = [Ending(**msgspec.structs.asdict(line.row)) for line in self.endings]
        return City(
            version=version,
            name=settings.name,
            code=settings.code,
            tz=calendars.common.tz,
            units=self.units,
            map=GridMap(version, areas.tree, cells, settings.cells.border_m),
            categories=self.codes.categories,
            duty=CityDutyBook(rules, settings.desk.fallback, self.units),
            duty_rules=rules,
            policies=policies,
            ladder=ladder,
            calendars=calendars,
            desk=settings.desk,
            automatic=settings.automatic,
            matching=settings.matching,
            locating=settings.locating,
            gazetteer=city_gazetteer(self.gazetteer, areas.tree),
            sensors=SensorTypes(_sensor(line.row) for line in self.sensors),
            devices={line.row.code: Device(**msgspec.structs.asdict(line.row)) for line in self.devices},
            demo_accounts=tuple(Account(**msgspec.structs.asdict(line.row)) for line in self.accounts),
            return_reasons={line.row.code: _reason(line.row) for line in self.returns},
            casework=settings.casework,
            indicators=settings.indicators,
            endings={each.code: each for each in endings},
            signs=Signs(endings),
            unsolved={line.row.code: UnsolvedReason(**msgspec.structs.asdict(line.row)) for line in self.unsolved},
            retention=settings.retention,
            suspensions={
                line.row.code: SuspensionReason(**msgspec.structs.asdict(line.row)) for line in self.suspensions
            },
            dangers=Dangers(_danger(line.row) for line in self.dangers),
            evidence=EvidenceBook(_evidence(line.row) for line in self.evidence),
            files=settings.files,
            successors={(line.row.kind, line.row.code): line.row.successor for line in self.successors},
        )

    def _need(self, name: str) -> bytes | None:
        data = self.files.get(name)
        if data is None:
            self.faults.append(Fault(name, 1, "", "file missing"))
        return data

    def _table(self, name: str, row_type: type[T], *, optional: bool = False) -> list[Line[T]]:
        data = self.files.get(name) if optional else self._need(name)
        return [] if data is None else read_table(name, data, row_type, self.faults, may_be_empty=optional)

    def _suspensions(self, *, kept: bool) -> list[Line[SuspensionRow]]:
        """The table of the files; a version packed before there was one has that which comes with the service."""
        if kept and self.files.get(SUSPENSIONS) is None:
            return read_table(SUSPENSIONS, (CONFIG / SUSPENSIONS).read_bytes(), SuspensionRow, self.faults)
        return self._table(SUSPENSIONS, SuspensionRow)

    def _settings(self) -> Settings | None:
        data = self._need(SETTINGS)
        return None if data is None else read_settings(data, self.faults)

    def _areas(self) -> AreaFile | None:
        data = self._need(AREAS)
        return None if data is None else AreaFile(data, self.faults)

    def _units(self) -> UnitTree:
        lines = self._table(UNITS, UnitRow)
        parents = sound_parents(UNITS, ((line.number, line.row.code, line.row.parent) for line in lines), self.faults)
        units: dict[str, Unit] = {}
        answers: dict[tuple[str, str], str] = {}
        for line in lines:
            row = line.row
            if row.code in units:
                continue
            parent = parents[row.code]
            steps = self._signoff(line, has_parent=parent is not None)
            units[row.code] = Unit(row.code, row.name, parent, row.level, row.kind, row.area or None, steps)
            if self.areas and row.area and row.area not in self.areas.lines:
                self.faults.append(Fault(UNITS, line.number, "area", f"{row.area}: no such area"))
            if row.kind in ONE_PER_AREA and (first := answers.setdefault((row.area, row.kind), row.code)) != row.code:
                self.faults.append(Fault(UNITS, line.number, "area", f"{row.area}: {first} is its {row.kind} already"))
        return UnitTree(units.values())

    def _signoff(self, line: Line[UnitRow], *, has_parent: bool) -> tuple[SignStep, ...]:
        try:
            return parse_steps(line.row.signoff, has_parent=has_parent)
        except ValueError as error:
            self.faults.append(Fault(UNITS, line.number, "signoff", str(error)))
            return ()

    def _codes(self) -> CodeTables:
        tables = [(table, self._need(table.file)) for table in self.settings.codes] if self.settings else []
        return read_code_tables([(table, data) for table, data in tables if data is not None], self.faults)

    def _book(self, name: str, parse: Callable[[str, str], B], *, optional: bool = False) -> B | None:
        data = self.files.get(name) if optional else self._need(name)
        text = None if data is None else decode(name, data, self.faults)
        if text is None:
            return None
        try:
            return parse(text, name)
        except RowFaults as error:
            self.faults += error.faults
            return None

    def _calendars(self) -> Calendars | None:
        if self.settings is None:
            return None
        try:
            zone = ZoneInfo(self.settings.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            self._settings_fault("time_zone", str(error))
            return None
        years = self._book(HOLIDAYS, parse_years, optional=True) or ()
        common, groups = self.settings.calendar, self.settings.groups
        if not self._sound_groups(years):
            return None
        return calendars(zone, common, groups, years, self.units)

    def _sound_groups(self, years: Sequence[Year]) -> bool:
        """Whether every section of hours holds, and each group names units of the city that no other names."""
        assert self.settings is not None
        common, sound, taken = self.settings.calendar, True, set[str]()
        for place, section in (
            ("calendar", common),
            *((f"groups[{n}]", g) for n, g in enumerate(self.settings.groups)),
        ):
            try:
                work_days(section, years, None if section is common else common)
            except (SlaError, ValueError) as error:
                self._settings_fault(f"{place}.slots", str(error))
                sound = False
        for index, group in enumerate(self.settings.groups):
            for unit in group.units:
                if unit not in self.units or unit in taken:
                    problem = "is in another group" if unit in taken else "is not a unit"
                    self._settings_fault(f"groups[{index}].units", f"{unit} {problem}")
                    sound = False
                taken.add(unit)
        return sound

    def _settings_fault(self, path: str, problem: str) -> None:
        text = (self.files.get(SETTINGS) or b"").decode("utf-8-sig")
        self.faults.append(Fault(SETTINGS, line_of(text, path), path, problem))


def _sensor(row: SensorRow) -> SensorType:
    return SensorType(
        row.type, row.name, row.category, row.min_duration_s, row.hold_off_s, row.cleared_by or None, row.urgency
    )


def _reason(row: ReturnRow) -> ReturnReason:
    return ReturnReason(row.code, row.name, row.proposes_unit == "yes", row.evidence == "yes", row.border == "yes")


def _danger(row: DangerRow) -> Danger:
    return Danger(row.code, row.name, row.words, row.urgency, row.restricted == "yes", row.safety == "yes")


def _evidence(row: EvidenceRow) -> Evidence:
    return Evidence(row.category, frozenset(row.needs) - {"none"}, row.within_m)


@cache
def _defaults() -> PolicyBook:
    """The policies that come with the service: what a version packed by an older one knows nothing of."""
    return PolicyBook.parse((CONFIG / POLICIES).read_text(encoding="utf-8"), POLICIES)


@cache
def _reasons() -> list[Line[UnsolvedRow]]:
    """The same of the reasons why a matter was not solved: every reply that says so names one."""
    return read_table(UNSOLVED, (CONFIG / UNSOLVED).read_bytes(), UnsolvedRow, [])
