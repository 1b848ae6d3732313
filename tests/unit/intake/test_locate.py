"""Where a report is that says so in words: by the gazetteer of the demo city."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from dispatch.city.model import City, Locating
from dispatch.domain.reports import Report
from dispatch.intake.candidates import Prepared
from dispatch.intake.commit import Held
from dispatch.intake.prepare import prepare
from tests.harness.town import CONNECTOR, KEYRING, PLACE, START, report

SCHOOL = (116.2308, 33.1454)


def prepared(city: City, **fields: Any) -> Prepared:
    made = msgspec.convert(report(**fields), Report)
    item = prepare(made, city=city, keyring=KEYRING, by=CONNECTOR, wall=START)
    assert not isinstance(item, Held)
    return item


def warned(item: Prepared) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in item.reading.warnings]


@pytest.mark.parametrize(
    "fields",
    [
        {"location": {"address": "盐仓路60号"}},
        {"location": {"address": "川东区盐仓路６０号附近"}},
        {"location": {"address": "盐仓路60号", "lon": 0, "lat": 0}},
        {"location": None, "text": "盐仓路60号门口的井盖坏了，晚上很危险"},
        {"location": None, "title": "盐仓路60号", "text": "井盖坏了"},
    ],
)
def test_what_words_surely_name_is_the_place_of_a_report_without_a_point(city: City, fields: dict[str, Any]) -> None:
    place = prepared(city, **fields).place
    assert place.lon == pytest.approx(SCHOOL[0], abs=1e-5)
    assert place.lat == pytest.approx(SCHOOL[1], abs=1e-5)
    assert place.source == "address"
    assert place.cell is not None
    assert place.cell.startswith("990103001003")
    assert place.areas == ("990103001003", "990103001", "990103", "9901")


def test_what_is_located_by_words_is_compared_with_what_lies_near_it(city: City) -> None:
    assert prepared(city, location={"address": "盐仓路60号"}).tiles


def test_what_is_not_sure_gives_no_place_but_is_kept_for_a_person(city: City) -> None:
    place = prepared(city, location={"address": "云帆大道"}).place
    assert (place.lon, place.cell, place.areas, place.source) == (None, None, (), "none")
    assert {each.name for each in place.views} == {"翠堤湾花园", "云帆公园"}
    assert all(0 < each.confidence < 0.8 for each in place.views)


def test_the_city_says_from_which_chance_on_words_are_a_place(city: City) -> None:
    bold = replace(city, locating=Locating(confidence=0.1))
    shy = replace(city, locating=Locating(confidence=1.0, suggest=1.0))
    assert prepared(bold, location={"address": "云帆大道"}).place.source == "address"
    assert prepared(shy, location={"address": "盐仓路60号"}).place.source == "none"
    assert prepared(shy, location={"address": "盐仓路60号"}).place.candidates == ()


def test_a_given_area_says_where_words_are_meant(city: City) -> None:
    item = prepared(city, location={"address": "云帆大道", "area_code": "990104003003"})
    assert item.place.views[0].area == "990104003003"
    assert item.place.areas[0] == "990104003003"


def test_words_that_name_nothing_leave_the_report_without_a_place(city: City) -> None:
    place = prepared(city, location=None, text="路灯不亮了").place
    assert (place.lon, place.areas, place.source, place.views) == (None, (), "none", [])


def test_where_locating_is_switched_off_words_are_no_place(city: City) -> None:
    by_hand = replace(city, automatic=msgspec.structs.replace(city.automatic, locate=False))
    assert prepared(by_hand, location={"address": "盐仓路60号"}).place.source == "none"


def test_a_point_far_from_the_place_that_the_address_names_is_told_with_the_distance(city: City) -> None:
    item = prepared(city, location={**PLACE, "address": "盐仓路60号"})
    assert warned(item) == [("location.address", "disagrees")]
    assert "4,1" in item.reading.warnings[0].message
    assert item.place.source == "point"
    assert (item.place.lon, item.place.lat) == (PLACE["lon"], PLACE["lat"])


def test_a_point_near_it_or_an_address_that_is_not_sure_is_no_disagreement(city: City) -> None:
    near = {"lon": SCHOOL[0] + 0.001, "lat": SCHOOL[1], "address": "盐仓路60号"}
    assert warned(prepared(city, location=near)) == []
    assert warned(prepared(city, location={**PLACE, "address": "云帆大道"})) == []
