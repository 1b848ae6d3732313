"""One code means different things in different table versions, and each finds its way to the rules."""

import pytest

from dispatch.city.errors import UnknownCategory
from dispatch.city.model import City


@pytest.mark.parametrize(
    ("code", "version", "name"),
    [
        ("E04", None, "街面秩序"),
        ("E04", "2013", "街面秩序"),
        ("E04", "2005", "突发事件"),
        ("E05", "2013", "突发事件"),
        ("E05", "2005", "街面秩序"),
        ("E0401", "2013", "无照经营游商"),
        ("E0401", "2005", "路面塌陷"),
        ("C0101", None, "上水井盖"),
    ],
)
def test_a_code_is_read_against_its_table(demo: City, code: str, version: str | None, name: str) -> None:
    category = demo.categories.get(code, version)
    assert category is not None
    assert category.name == name


@pytest.mark.parametrize(
    ("code", "version", "path"),
    [
        ("E0505", None, ("E0505", "E05", "event")),
        ("E0401", "2005", ("E0401@2005", "E0505", "E05", "event")),
        ("E0505", "2005", ("E0505@2005", "E04", "event")),
        ("S010101", None, ("S010101", "S0101", "S01", "subject")),
        ("C01", None, ("C01", "component")),
    ],
)
def test_the_path_ends_in_the_branch(demo: City, code: str, version: str | None, path: tuple[str, ...]) -> None:
    assert demo.categories.path(code, version) == path


def test_the_nearest_limit_on_the_path_counts(demo: City) -> None:
    assert str(demo.categories.limit("E0505")) == "2h"
    assert str(demo.categories.limit("E0401", "2005")) == "2h"
    assert str(demo.categories.limit("E0504")) == "4h"
    assert demo.categories.limit("S010101") is None


def test_an_unknown_code_is_none_and_has_no_path(demo: City) -> None:
    assert demo.categories.get("E0401", "1999") is None
    assert demo.categories.get("E9901") is None
    with pytest.raises(UnknownCategory, match="'E9901' in table None"):
        demo.categories.path("E9901")
