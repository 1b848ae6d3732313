"""Records of cases made by hand, in the form in which the service writes them: the last event of a transaction says what was written."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import shapely

from dispatch.city.model import Indicators
from dispatch.indicators.contribution import Amount, Name, figures
from dispatch.indicators.rules import Rules
from gridmap.areas import Area, AreaTree

START = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
DESK = "dispatch"
AREAS = AreaTree(
    Area(code, code, code[:-2] or None, len(code) // 2, shapely.box(nth, 0, nth + 1, 1))
    for nth, code in enumerate(("01", "0101", "010101", "01010101", "01010102", "0102", "010201"))
)


def rules(**settings: Any) -> Rules:
    """Rules of a city in Shanghai."""
    return Rules(ZoneInfo("Asia/Shanghai"), AREAS, Indicators(**settings))


@dataclass
class Record:
    """The events of one case; each method is one transaction, `hours` after the one before."""

    category: str = "E0506"
    channel: str = "call"
    kind: str = "complaint"
    area: str = "01010101"
    restricted: bool = False
    bodies: list[bytes] = field(default_factory=list)
    at: datetime = START
    state: str = "triage"
    owner: str = DESK
    round: int = 1
    lead: int | None = None
    units: dict[int, str] = field(default_factory=dict)
    tasks: dict[int, str] = field(default_factory=dict)
    due: dict[tuple[str, int | None, int], datetime] = field(default_factory=dict)
    stopped: set[tuple[str, int | None, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        case = {
            "opened_at": self.at, "state": self.state, "round": 1, "kind": self.kind, "channel": self.channel, "category": self.category,
            "area": self.area, "city_version": 1, "owner_unit": DESK, "last_event_at": self.at,
        }  # fmt: skip
        if self.restricted:
            case["restricted"] = True
        clocks = [self._clock("dispatch", None, DESK, 2), self._clock("close", None, DESK, 120)]
        self.add(0, [("received", {"channel": self.channel, "kind": self.kind})], case=case, clocks=clocks)

    def add(
        self, hours: float, events: list[tuple[str, dict[str, Any]]], *, case: dict[str, Any] | None = None,
        tasks: list[Any] | None = None, clocks: list[Any] | None = None,
    ) -> "Record":  # fmt: skip
        """One transaction."""
        self.at += timedelta(hours=hours)
        there = [clock for clock in clocks or [] if tuple(clock[:3]) in self.due]
        wrote = {"case": case or {}, "tasks": tasks or [], "clocks": there}
        for nth, (type_, data) in enumerate(events):
            line: dict[str, Any] = {
                "case_no": "n",
                "seq": len(self.bodies) + 1,
                "at": self.at,
                "type": type_,
                "actor": "t",
            }
            if nth == len(events) - 1:
                line |= {"state": self.state, "owner_unit": self.owner, "wrote": {k: v for k, v in wrote.items() if v}}
            self.bodies.append(msgspec.json.encode(line | data))
        return self

    def dispatched(self, unit: str, hours: float = 1) -> "Record":
        """To a unit; whoever led before leads no more."""
        self.at += timedelta(hours=hours)
        tasks, clocks = self._ended("withdrawn"), []
        if self.lead is None and self.round == 1 and not self.units:
            met = self.at <= START + timedelta(hours=2)
            clocks.append(["dispatch", None, 1, {"status": "met" if met else "missed", "stopped_at": self.at}])
        task = len(self.units) + 1
        self.lead, self.units[task], self.tasks[task] = task, unit, "to_sign"
        self.state, self.owner = "to_sign", unit
        row = {"role": "lead", "unit": unit, "state": "to_sign", "round": self.round, "dispatched_at": self.at}
        clocks += [self._clock("sign", task, unit, 8), self._clock("reply", task, unit, 120)]
        clocks.append(["close", None, self.round, {"unit": unit}])
        case = {"state": "to_sign", "owner_unit": unit, "lead_assignment_id": task}
        return self.add(0, [("dispatched", {"lead": unit})], case=case, tasks=[*tasks, [task, row]], clocks=clocks)

    def signed(self, hours: float = 1) -> "Record":
        self.at += timedelta(hours=hours)
        self.state = self.tasks[self._led] = "handling"
        task = [self._led, {"state": "handling", "signed_at": self.at}]
        return self.add(0, [("signed", {})], case={"state": "handling"}, tasks=[task], clocks=[self._stopped("sign")])

    def replied(self, hours: float = 1) -> "Record":
        self.at += timedelta(hours=hours)
        self.state, self.owner, self.tasks[self._led] = "review", DESK, "replied"
        task = [self._led, {"state": "replied", "replied_at": self.at}]
        clocks = [self._stopped("reply"), ["close", None, self.round, {"unit": DESK}]]
        told = {"assignment": self._led, "role": "lead", "unit": self.units[self._led]}
        return self.add(
            0, [("replied", told)], case={"state": "review", "owner_unit": DESK}, tasks=[task], clocks=clocks
        )

    def returned(self, hours: float = 1, reason: str = "need_info") -> "Record":
        self.at += timedelta(hours=hours)
        self.state, self.owner = "returned", DESK
        tasks = self._ended("returned")
        tasks[0][1]["return_reason"] = reason
        clocks = [
            ["reply", self._led, self.round, {"status": "cancelled", "stopped_at": self.at}],
            self._stopped("sign"),
        ]
        self.lead = None
        case = {"state": "returned", "owner_unit": DESK, "lead_assignment_id": None}
        return self.add(
            0, [("returned", {"reason": reason}), ("back_at_desk", {})], case=case, tasks=tasks, clocks=clocks
        )

    def approved(self, hours: float = 1) -> "Record":
        self.at += timedelta(hours=hours)
        self.state, self.owner = "followup", "hotline"
        case = {"state": "followup", "owner_unit": "hotline"}
        events: list[tuple[str, dict[str, Any]]] = [("approved", {"round": self.round}), ("followup_set", {})]
        return self.add(0, events, case=case, tasks=self._ended("done"), clocks=[self._closed()])

    def followed_up(self, hours: float = 1, **said: Any) -> "Record":
        """What the citizen said: everything well, unless told otherwise."""
        told = {
            "round": self.round,
            "valid": True,
            "contacted": True,
            "solved": True,
            "satisfied": 5,
            "medium": "phone",
        }
        return self.add(hours, [("followed_up", told | said)])

    def reworked(self, hours: float = 1) -> "Record":
        """Back to the same unit, in a new round."""
        self.at += timedelta(hours=hours)
        self.round += 1
        ended = self._ended("done")
        unit = self.units[max(self.units)]
        self.state, self.owner, task = "handling", unit, len(self.units) + 1
        self.lead, self.units[task], self.tasks[task] = task, unit, "handling"
        row = {"role": "lead", "unit": unit, "state": "handling", "round": self.round, "dispatched_at": self.at}
        case = {
            "state": "handling",
            "owner_unit": unit,
            "round": self.round,
            "lead_assignment_id": task,
            "closed_at": None,
        }
        clocks = [self._clock("reply", task, unit, 48), self._clock("close", None, unit, 72)]
        event = ("reworked", {"round": self.round, "unit": unit})
        return self.add(0, [event], case=case, tasks=[*ended, [task, row]], clocks=clocks)

    def closed(self, hours: float = 1, solved: bool | None = True) -> "Record":
        self.at += timedelta(hours=hours)
        self.state, self.owner = "closed", "hotline"
        case = {"state": "closed", "closed_at": self.at, "solved": solved}
        return self.add(0, [("closed", {"solved": solved, "round": self.round})], case=case)

    def ended(self, state: str, hours: float = 1) -> "Record":
        """Over without a unit's answer: answered, rejected, merged."""
        self.at += timedelta(hours=hours)
        self.state = state
        clock = self._closed()
        if state == "merged":
            clock[3]["status"] = "cancelled"
        tasks, self.lead = self._ended("withdrawn"), None
        return self.add(
            0, [(state, {})], case={"state": state, "lead_assignment_id": None}, tasks=tasks, clocks=[clock]
        )

    def opened_again(self, type_: str, hours: float = 1) -> "Record":
        """Restored or unmerged: at the desk again, in the same round; its clock runs on."""
        self.at += timedelta(hours=hours)
        self.state, self.owner = "triage", DESK
        self.stopped.discard(("close", None, self.round))
        clock = ["close", None, self.round, {"status": "running", "stopped_at": None, "unit": DESK}]
        return self.add(
            0, [(type_, {})], case={"state": "triage", "owner_unit": DESK, "closed_at": None}, clocks=[clock]
        )

    def late(self, clock: str = "close") -> "Record":
        """A limit runs out: the loop puts it on record when it is due."""
        task = None if clock == "close" else self._led
        return self.add(
            0, [("deadline_missed", {"clock": clock})], clocks=[[clock, task, self.round, {"status": "missed"}]]
        )

    def appealed(self, kind: str, unit: str, *, round: int = 1, approved: bool = True, final: bool = True) -> "Record":
        told = {"kind": kind, "unit": unit, "round": round, "approved": approved, "final": final}
        return self.add(1, [("appeal_decided", told)])

    def looked(self, type_: str, hours: float = 1, **told: Any) -> "Record":
        """site_check_asked, site_check_reused, site_checked."""
        return self.add(hours, [(type_, {"check": 1} | told)])

    def figures(self, **settings: Any) -> dict[Name, Amount]:
        """What the case adds."""
        return figures(self.bodies, rules(**settings))

    @property
    def _led(self) -> int:
        assert self.lead is not None
        return self.lead

    def _ended(self, state: str) -> list[Any]:
        live = [task for task, now in self.tasks.items() if now in ("to_sign", "handling", "replied")]
        for task in live:
            self.tasks[task] = state
        return [[task, {"state": state, "ended_at": self.at}] for task in live]

    def _clock(self, name: str, task: int | None, unit: str, hours: int) -> list[Any]:
        due = self.at + timedelta(hours=hours)
        row = {
            "unit": unit,
            "started_at": self.at,
            "due_at": due,
            "status": "running",
            "clock": name,
            "limit_text": f"{hours}h",
        }
        self.due[name, task, self.round] = due
        return [name, task, self.round, row]

    def _stopped(self, name: str) -> list[Any]:
        return [name, self._led, self.round, self._fate(name, self._led)]

    def _closed(self) -> list[Any]:
        return ["close", None, self.round, self._fate("close", None)]

    def _fate(self, name: str, task: int | None) -> dict[str, Any]:
        due = self.due.get((name, task, self.round), self.at)
        self.stopped.add((name, task, self.round))
        return {"status": "met" if self.at <= due else "missed", "stopped_at": self.at}


def handled(unit: str = "drainage", **fields: Any) -> Record:
    """A case that a unit has answered, in time, and whose answer was approved."""
    return Record(**fields).dispatched(unit).signed().replied().approved()


def total(found: dict[Name, Amount], indicator: str, dimension: str = "all", key: str = "") -> tuple[int, int, int]:
    """Numerator, denominator and excluded of one indicator over all days."""
    amounts = [amount for name, amount in found.items() if (name[0], *name[2:]) == (indicator, dimension, key)]
    numerator, denominator, excluded = (sum(each[nth] for each in amounts) for nth in range(3))
    return numerator, denominator, excluded
