"""What a report without words says again, by its place and kind alone, as the city's people would say it (位置查重).

| the earlier case believed most         | is       | what follows                                    |
|----------------------------------------|----------|-------------------------------------------------|
| believed more than is asked just now   | open     | the report joins it                             |
| …                                      | closed   | own case, `suggested`: a person decides         |
| believed less                          | any      | own case; `suggested` where the rule would join |

Serves where a city has learned such a model (`dispatch learn located`); until then, and beside a report's own people, the rule of
`match` holds. What is asked follows the stream (`allowance`), here and in the backtest alike. Cases without a point are left to that rule.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from dispatch.city.categories import Category
from dispatch.domain.reports import Report
from dispatch.intake.allowance import Allowance, Share
from dispatch.intake.candidates import Candidate, Prepared
from dispatch.intake.locate import Place
from dispatch.intake.located import Located, LocatedModel, Near, Placed, best, near, settle
from dispatch.intake.streets import NOWHERE, Address, address
from dispatch.people.keyring import Keyring


def placed(
    report: Report, place: Place, category: Category | None, at: datetime, model: LocatedModel | None, keyring: Keyring
) -> Placed | None:
    """A report as it is compared without words; None where it has some, or no point or kind, or is each person's own claim."""
    silent = not (report.title or "").strip() and not (report.text or "").strip()
    if model is None or not silent or place.lon is None or category is None or category.no_merge:
        return None
    said = report.location.address if report.location else None
    where = _hidden(address(said), keyring) if said else NOWHERE
    return Placed(model, Located("", category.code, category.kin, at, None, place.lon, place.lat, where))


def _hidden(said: Address, keyring: Keyring) -> Address:
    """An address by keyed hashes: it is compared, and nobody can read it."""
    streets = frozenset(keyring.match(street.encode(), "street").hex() for street in said.streets)
    return Address(streets, keyring.match(said.whole.encode(), "address").hex() if said.whole else "")


def believed(report: Placed, candidates: Iterable[Candidate], asked: float) -> tuple[Candidate | None, float | None]:
    """The candidate that people would name, and its distance in metres; notes on `report` the belief, what was asked, and its crowd."""
    of_key: dict[str, Candidate] = {}
    found: list[Near] = []
    for candidate in candidates:
        earlier = _located(candidate)
        if earlier is not None and report.model.akin(report.case, earlier) and _in_reach(report, earlier):
            each = near(report.case, earlier)
            if each.metres is not None and each.metres <= report.model.reach.metres:
                of_key[earlier.key] = candidate
                found.append(each)
    found.sort(key=lambda each: each.case.opened_at)
    settle(report.case, found)
    earlier, report.belief = best(report.model, report.case, found)
    report.asked = asked
    if earlier is None:
        return None, None
    return of_key[earlier.key], next(each.metres for each in found if each.case is earlier)


def _in_reach(report: Placed, earlier: Located) -> bool:
    at, reach = report.case.opened_at, report.model.reach
    if earlier.closed_at is not None and at - earlier.closed_at >= timedelta(days=reach.closed_days):
        return False
    return timedelta(0) <= at - earlier.opened_at <= timedelta(days=reach.days)


def _located(candidate: Candidate) -> Located | None:
    if candidate.lon is None or candidate.category is None:
        return None
    return Located(
        str(candidate.id), candidate.category, candidate.kin, candidate.opened_at, candidate.closed_at, candidate.lon,
        candidate.lat, Address(frozenset(candidate.streets), candidate.address), candidate.crowd, candidate.around,
    )  # fmt: skip


class Pace:
    """How much must be believed just now, for the model in service; another model begins anew."""

    def __init__(self, share: Share | None = None) -> None:
        self._share = share or Share()
        self._model: LocatedModel | None = None
        self._allowance: Allowance | None = None

    def asked(self, model: LocatedModel | None) -> float:
        """What a belief must exceed; nothing does where there is no model."""
        if model is None:
            self._model = self._allowance = None
            return float("inf")
        if self._allowance is None or model is not self._model:
            self._model, self._allowance = model, Allowance(self._share, model.usual)
        return self._allowance.asked()

    def note(self, committed: Sequence[Prepared]) -> None:
        """Counts what was decided by the model in service."""
        for item in committed:
            if item.placed is not None and self._allowance is not None and item.placed.model is self._model:
                self._allowance.note(item.placed.belief, item.placed.flagged)
