"""Fifth step: whose. A unit given by a superior is honoured and checked; else the duty book, most specific rule first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.city.categories import Category
from dispatch.city.model import City
from dispatch.domain.reports import RouteView
from dispatch.intake.candidates import Prepared

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Route:
    """The lead and assists, or no lead: the dispatch desk decides. `reasons` say what was tried, in order."""

    lead: str | None
    assists: tuple[str, ...]
    rule: str
    reasons: tuple[str, ...]

    @property
    def view(self) -> RouteView:
        return RouteView(self.rule, list(self.reasons))


# A call that an operator keeps on the desk goes nowhere by itself.
HELD = Route(None, (), "held", ("kept at the operator's desk",))
# What seems to be no matter for a unit is given to none before a person has looked.
UNSUITED = Route(None, (), "unsuited", ("it may be no matter for a unit: the dispatch desk decides",))


def route(report: Prepared, city: City, at: datetime) -> Route:
    """The responsible unit on the city's local day of `at`; never empty where a category and its place are known."""
    excluded = excluded_units(report.about, city)
    given = report.reading.report.assigned_unit
    if given is not None:
        if given in city.units and given not in excluded:
            return Route(given, (), "given", (f"{given} named by the sender",))
        why = "it is complained about" if given in excluded else "no such unit"
        report.reading.aside("assigned_unit", given, "not_possible", why)
    if not city.automatic.route:
        return Route(None, (), "by_hand", ("automatic routing is switched off",))
    if report.place.outside and city.desk.outside not in excluded:
        return Route(city.desk.outside, (), "outside", ("the point lies outside the city",))
    if report.category is None:
        return Route(None, (), "unclassified", ("no category: the dispatch desk decides",))
    if report.category.routes == "by_place" and not report.place.areas:
        return Route(None, (), "no_place", (f"{report.category.code} is routed by place and there is none",))
    areas = () if report.category.routes == "city_wide" else report.place.areas
    attributes = {k: str(v) for k, v in (report.reading.report.attributes or {}).items()}
    return by_book(report.category, areas, city, at, excluded, attributes)


def by_book(
    category: Category,
    areas: tuple[str, ...],
    city: City,
    at: datetime,
    excluded: frozenset[str] = NOBODY,
    attributes: dict[str, Any] | None = None,
) -> Route:
    """What the duty book says for a category in an area."""
    path = city.categories.path(category.code, category.table_version)
    choice = city.duty.route(path, areas, at.astimezone(city.tz).date(), excluded, attributes or {})
    return Route(choice.lead, choice.assists, choice.rule, choice.tried)


def excluded_units(about: str | None, city: City) -> frozenset[str]:
    """A unit that is complained about and its subtree: it neither handles nor sees its own case."""
    return city.units.subtree(about) if about is not None and about in city.units else NOBODY
