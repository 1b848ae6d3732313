"""Units as a tree, and who answers for a place."""

import pytest

from dispatch.city.errors import UnknownUnit
from dispatch.city.model import City


def test_who_signs_a_reply_is_the_head_of_the_unit_or_of_the_one_above(demo: City) -> None:
    assert demo.units.signers("labour-inspection") == (("labour-inspection", "unit_head"), ("labour", "unit_head"))
    assert demo.units.signers("drainage") == demo.units.signers("nobody") == ()


def test_path_leads_up_to_the_city(demo: City) -> None:
    assert demo.units.path("c-990101001002") == ("c-990101001002", "s-990101001", "d-990101", "city")


def test_subtree_holds_the_unit_and_all_below_it(demo: City) -> None:
    assert demo.units.subtree("police") == {"police", "traffic-police"}
    assert len(demo.units.subtree("city")) == len(demo.units.units)


def test_unknown_unit_has_neither(demo: City) -> None:
    with pytest.raises(UnknownUnit, match="nobody"):
        demo.units.path("nobody")
    with pytest.raises(UnknownUnit, match="nobody"):
        demo.units.subtree("nobody")


@pytest.mark.parametrize(
    ("area", "unit"),
    [("990101001002", "s-990101001"), ("990101001", "s-990101001"), ("990101", "d-990101"), ("9901", None)],
)
def test_the_street_office_answers_for_a_place(demo: City, area: str, unit: str | None) -> None:
    assert demo.units.local(demo.map.areas.path(area)) == unit
