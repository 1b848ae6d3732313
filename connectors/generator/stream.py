"""The stream of generated reports: a seeded mix of new matters, repeats, hot spots, bursts and rubbish."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate, count
from random import Random
from typing import Any, Final

from connectors.errors import ConnectorError
from connectors.generator.families import Family, Subject, all_families, category_of
from connectors.generator.matters import Generated, Matter, Truth, Verdict
from connectors.generator.people import Person, party_name, person, spoken
from connectors.generator.places import Place, metres, moved
from connectors.generator.rubbish import SPOILS, spoiled
from connectors.generator.wording import address, heading, note, tell

# Repeats and what is not our business are 60 % together, as districts report of their hotlines.
MIX: Final[dict[Verdict, float]] = {
    "repeat": 0.30,
    "joined": 0.16,
    "none": 0.14,
    "facet": 0.08,
    "topic": 0.06,
    "new": 0.26,
}
SPOILED_SHARE: Final = 0.03
REMEMBERED: Final = 400
APART_M: Final = 300.0
DRAWS: Final = 12
DAILY_GAP_S: Final = 24.7


class NoFamilies(ConnectorError):
    """None of the {subjects} categories and {places} places fits a family of reports."""

    def __init__(self, subjects: int, places: int) -> None:
        super().__init__(subjects, places)
        self.subjects = subjects
        self.places = places


class Generator:
    """Reports over given places and categories; the same arguments give the same reports.

    `subjects` are (code, name, branch) of the city's categories; a family whose names no category carries is left out
    (`unmatched`). `run` goes into every external id, so that two runs of a demo do not meet. Two matters of one kin
    that are remembered at the same time are at least 300 m apart, or have no place and other parties or persons.
    Raises NoFamilies.
    """

    def __init__(
        self, places: Sequence[Place], subjects: Sequence[Subject], seed: int, *, channel: str = "demo", run: str = "0"
    ) -> None:
        found = {family.id: category_of(family, subjects) for family in all_families()}
        self.unmatched = tuple(family.id for family in all_families() if family.ours and found[family.id] is None)
        self._ours = [family for family in all_families() if family.ours and found[family.id] is not None]
        self._others = [family for family in all_families() if not family.ours]
        if not self._ours or not places:
            raise NoFamilies(len(subjects), len(places))
        self._category = found
        self._rng = Random(seed)
        self._places = self._rng.sample(list(places), len(places))
        self._heat = list(accumulate(1.0 / (rank + 5) for rank in range(len(places))))
        self._estates = [place for place in self._places if place.estate] or self._places
        self._channel = channel
        self._prefix = f"{run}-{seed}"
        self._numbers = count(1)
        self._matters: deque[Matter] = deque(maxlen=REMEMBERED)
        self._matter_numbers = count(1)

    def reports(
        self, n: int | None = None, *, start: datetime | None = None, gap_s: float = DAILY_GAP_S
    ) -> Iterator[Generated]:
        """`n` reports, or without end. With `start` each has a `received_at`, on average `gap_s` seconds apart (3,500 a
        day); without, none has a time."""
        at = start
        for _ in count() if n is None else range(n):
            yield self._next(at)
            if at is not None:
                at += timedelta(seconds=self._rng.expovariate(1.0 / gap_s))

    def burst(self, n: int = 500, *, start: datetime | None = None, within_s: float = 10.0) -> list[Generated]:
        """One burst main: `n` reports by different callers within metres and seconds, no two in the same words."""
        main = next((family for family in self._ours if family.id == "burst_main"), None)
        if main is None:
            raise NoFamilies(0, len(self._places))
        matter = self._create(main, self._rng.choice(self._places))
        texts: set[str] = set()
        phones: set[str] = set()
        burst: list[Generated] = []
        while len(burst) < n:
            caller = person(self._rng)
            text = tell(self._rng, matter, 1, None)
            if text in texts or caller.phone in phones:
                continue
            texts.add(text)
            phones.add(caller.phone)
            matter.calls[caller] = 1
            at = None if start is None else start + timedelta(seconds=within_s * len(burst) / n)
            report = self._report(matter, text, caller, at, place_given=True)
            verdict: Verdict = "joined" if burst else "new"
            burst.append(Generated(report, self._truth(matter, verdict, matter if burst else None)))
        return burst

    def _next(self, at: datetime | None) -> Generated:
        wanted = self._rng.choices(tuple(MIX), tuple(MIX.values()))[0]
        generated = self._made(wanted, at)
        if self._rng.random() >= SPOILED_SHARE:
            return generated
        how = self._rng.choice([how for how in SPOILS if _leaves_truth(how, generated)])
        return replace(generated, report=spoiled(generated.report, how), spoiled=how)

    def _made(self, wanted: Verdict, at: datetime | None) -> Generated:
        if wanted == "none":
            return self._told(self._create(self._rng.choice(self._others), self._rng.choice(self._estates)), "none", at)
        known = [matter for matter in self._matters if matter.calls]
        if not known or wanted == "new":
            return self._opened(self._ours, self._hot_place, at)
        first = self._rng.choice(known[-self._rng.choice((20, 100, REMEMBERED)) :])
        placeless = first.family.where == "none"
        if wanted == "joined" and placeless and not first.party:
            wanted = "repeat"
        if wanted in ("repeat", "joined"):
            return self._told(first, wanted, at, first)
        if wanted == "topic":
            return self._opened([first.family], self._hot_place, at, "topic", first)
        others = [
            family for family in self._ours if family.where == first.family.where and family.group != first.family.group
        ]
        if placeless or not others:
            return self._opened(self._ours, self._hot_place, at)
        return self._opened(others, lambda: first.place, at, "facet", first)

    def _opened(
        self,
        families: Sequence[Family],
        draw: Callable[[], Place],
        at: datetime | None,
        verdict: Verdict = "new",
        of: Matter | None = None,
    ) -> Generated:
        """A report of a new matter; where one of its kin is in the way at every draw, it is one more report of that."""
        near: Matter | None = None
        for _ in range(DRAWS):
            family, place = self._rng.choice(families), draw()
            if family.where == "estate" and not place.estate:
                place = self._rng.choice(self._estates)
            near = self._in_the_way(family, place)
            if near is None:
                break
        if near is not None:
            return self._told(near, "joined", at, near)
        caller = next(iter(of.calls)) if verdict == "facet" and of is not None else None
        return self._told(self._create(family, place), verdict, at, of, caller)

    def _in_the_way(self, family: Family, place: Place) -> Matter | None:
        if family.where == "none":
            return None
        return next(
            (
                matter
                for matter in self._matters
                if matter.family.group == family.group and metres(matter.place, place) < APART_M
            ),
            None,
        )

    def _told(
        self,
        matter: Matter,
        verdict: Verdict,
        at: datetime | None,
        of: Matter | None = None,
        caller: Person | None = None,
    ) -> Generated:
        if matter.family.patrol and verdict in ("new", "joined", "topic") and self._rng.random() < 0.25:
            report = self._report(matter, note(self._rng, matter), None, at, place_given=True, patrol=True)
            return Generated(report, self._truth(matter, verdict, of))
        if verdict == "repeat":
            caller = self._rng.choice(list(matter.calls))
        elif caller is None and (verdict == "new" or self._rng.random() > 0.08):
            caller = person(self._rng)
        if caller is not None:
            matter.calls[caller] = matter.calls.get(caller, 0) + 1
        number = caller.phone if caller is not None and self._rng.random() < 0.1 else None
        said = spoken(self._rng, number) if number else None
        text = tell(self._rng, matter, matter.calls.get(caller, 1) if caller is not None else 1, said)
        report = self._report(matter, text, caller, at, place_given=self._rng.random() > 0.15)
        return Generated(report, self._truth(matter, verdict, of), numbers=(number,) if number else ())

    def _truth(self, matter: Matter, verdict: Verdict, of: Matter | None) -> Truth:
        return Truth(matter.id, verdict, matter.category, of.id if of is not None else None)

    def _create(self, family: Family, place: Place) -> Matter:
        rng = self._rng
        lon, lat = moved(rng, place.lon, place.lat, 25.0)
        thing = rng.choice(family.object).format(n=rng.randint(1, 9)) if family.object else ""
        party = self._party(family)
        spot = f"{rng.randint(1, 30)}栋{rng.randint(1, 4)}单元" if family.where == "estate" else ""
        number = f"{self._prefix}-m{next(self._matter_numbers)}"
        matter = Matter(number, family, self._category[family.id], place, thing, party, spot, lon, lat)
        if family.ours:
            self._matters.append(matter)
        return matter

    def _party(self, family: Family) -> str:
        """A firm that no remembered matter of the family names, while there is one."""
        taken = {matter.party for matter in self._matters if matter.family is family}
        names = (party_name(self._rng, family.party) for _ in range(100 if family.party else 0))
        return next((name for name in names if name not in taken), "")

    def _hot_place(self) -> Place:
        return self._rng.choices(self._places, cum_weights=self._heat)[0]

    def _report(
        self,
        matter: Matter,
        text: str,
        caller: Person | None,
        at: datetime | None,
        *,
        place_given: bool,
        patrol: bool = False,
    ) -> dict[str, Any]:
        rng = self._rng
        report: dict[str, Any] = {
            "channel": self._channel,
            "external_id": f"{self._prefix}-{next(self._numbers)}",
            "kind": "patrol" if patrol else matter.family.kind,
            "text": text,
        }
        if matter.category is not None and (patrol or rng.random() < 0.7):
            report["category"] = matter.category
        if rng.random() < 0.3:
            report["title"] = heading(rng, matter)
        if matter.family.urgency != "ordinary" and rng.random() < 0.6:
            report["urgency"] = matter.family.urgency
        if at is not None:
            report["received_at"] = at.isoformat()
        if caller is not None:
            report["caller"] = {"name": caller.name, "phone": caller.phone}
        if matter.party:
            report["about"] = {"party": matter.party}
        if matter.family.where != "none":
            report["location"] = self._location(matter, place_given)
        return report

    def _location(self, matter: Matter, place_given: bool) -> dict[str, Any]:
        location: dict[str, Any] = {"address": address(matter)}
        if place_given:
            lon, lat = moved(self._rng, matter.lon, matter.lat, 15.0)
            location |= {"lon": lon, "lat": lat, "crs": "wgs84"}
        if self._rng.random() < 0.5:
            location["area_code"] = matter.place.area_code
        return location


def _leaves_truth(how: str, generated: Generated) -> bool:
    """Whether a report with this bad field still is what its truth says: a caller is known by the number only, and a
    matter of which nothing is said was not reported."""
    nothing_hangs_on_it = generated.truth.verdict == "none" and not generated.numbers
    match how:
        case "swapped":
            return "lon" in generated.report.get("location", {})
        case "nothing_said":
            return nothing_hangs_on_it
        case "bad_phone":
            return nothing_hangs_on_it or "caller" not in generated.report
        case _:
            return True
