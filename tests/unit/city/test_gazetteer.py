"""The places of a city by name, among its other files."""

from pathlib import Path

from dispatch.city.archive import pack, unpack
from dispatch.city.gazetteers import FILE
from dispatch.city.read import read_city

from .conftest import DAY


def test_a_city_without_the_file_has_a_gazetteer_that_finds_nothing(folder: Path) -> None:
    (folder / FILE).unlink()
    city, faults = read_city(folder, day=DAY)
    assert city is not None, faults
    assert len(city.gazetteer) == 0
    assert city.gazetteer.find("盐仓小学") == []


def test_the_archive_of_a_city_holds_its_places_with_their_aliases(folder: Path) -> None:
    city = unpack(pack(folder, day=DAY), 1)
    assert [each.name for each in city.gazetteer.find("云川一院")] == ["云川市第一人民医院"]


def test_a_text_may_name_any_area_of_the_city(folder: Path) -> None:
    city, _ = read_city(folder, day=DAY)
    assert city is not None
    assert city.gazetteer.find("云帆街道云帆大道518号")[0].area == "990104003003"
    here, elsewhere = city.gazetteer.find("云帆公园社区外"), city.gazetteer.find("澄江区云帆公园")
    assert elsewhere[0].confidence < here[0].confidence / 2
