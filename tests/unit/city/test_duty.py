"""Who leads in the demo city: owner first for components, locality first for events."""

from collections.abc import Mapping
from datetime import date

import pytest

from dispatch.city.model import City

AUTUMN, WINTER = date(2026, 10, 15), date(2026, 12, 15)
PLACE = "990101001002"
NEW_TOWN = "990104003001"


@pytest.mark.parametrize(
    ("code", "version", "place", "lead", "assists"),
    [
        ("C0101", None, PLACE, "water-supply", ("s-990101001",)),
        ("C0146", None, PLACE, "s-990101001", ("urban-management",)),
        ("E0401", None, PLACE, "s-990101001", ("urban-management",)),
        ("E0401", "2005", PLACE, "urban-management", ("emergency", "traffic-police")),
        ("E0502", None, PLACE, "gas", ("emergency", "fire")),
        ("E0502", "2005", PLACE, "civil-affairs", ("s-990101001",)),
        ("S020102", None, PLACE, "c-990101001002", ("housing",)),
        ("S010101", None, None, "labour-inspection", ()),
        ("E0112", None, PLACE, "s-990101001", ("urban-management",)),
        ("E0112", None, NEW_TOWN, "d-990104", ("urban-management",)),
        ("C0137", None, NEW_TOWN, "d-990104", ("lighting",)),
        ("E0405", None, "990102003003", "urban-management", ("traffic-police", "s-990102003")),
    ],
)
def test_lead_and_assistants(
    demo: City, code: str, version: str | None, place: str | None, lead: str, assists: tuple[str, ...]
) -> None:
    area_path = demo.map.areas.path(place) if place else ()
    choice = demo.duty.route(demo.categories.path(code, version), area_path, AUTUMN)
    assert (choice.lead, choice.assists, choice.reason) == (lead, assists, "rule")


@pytest.mark.parametrize(("attributes", "lead"), [({}, "s-990101001"), ({"period": "night"}, "police")])
def test_a_condition_is_read_from_the_attributes(demo: City, attributes: Mapping[str, str], lead: str) -> None:
    path = demo.map.areas.path(PLACE)
    choice = demo.duty.route(demo.categories.path("E0128"), path, AUTUMN, attributes=attributes)
    assert choice.lead == lead


@pytest.mark.parametrize(("day", "lead"), [(AUTUMN, "s-990101001"), (WINTER, "urban-management")])
def test_a_dated_rule_holds_in_its_time(demo: City, day: date, lead: str) -> None:
    assert demo.duty.route(demo.categories.path("E0507"), demo.map.areas.path(PLACE), day).lead == lead


def test_without_a_place_a_local_unit_is_not_guessed(demo: City) -> None:
    assert demo.duty.route(demo.categories.path("E0401"), (), AUTUMN).lead == demo.desk.fallback
    choice = demo.duty.route(demo.categories.path("E0501"), (), AUTUMN)
    assert (choice.lead, choice.assists) == ("water-supply", ())


def test_an_excluded_local_unit_neither_leads_nor_assists(demo: City) -> None:
    path, street = demo.map.areas.path(PLACE), demo.units.subtree("s-990101001")
    choice = demo.duty.route(demo.categories.path("E0401"), path, AUTUMN, street)
    assert choice.lead == "d-990101"
    assert choice.rule == "local:990101"
    choice = demo.duty.route(demo.categories.path("C0101"), path, AUTUMN, street)
    assert (choice.lead, choice.assists) == ("water-supply", ())
