"""Codes that people write into articles and incidents, and words in which nobody may be named by number."""

from collections.abc import Sequence

from dispatch.city.model import City
from dispatch.domain.errors import BadInput
from dispatch.people.masking import find_personal


def known_area(city: City, code: str | None, field: str = "area") -> tuple[str, ...]:
    """The path of an area, most specific first; nothing for none. Raises BadInput naming the field."""
    if code is None:
        return ()
    if code not in city.map.areas.areas:
        raise BadInput(field=field, problem="is not an area of this city")
    return city.map.areas.path(code)


def known_category(city: City, code: str | None, field: str = "category") -> tuple[str, ...]:
    """The path of a category of the current tables, most specific first; nothing for none. Raises BadInput naming the field."""
    if code is None:
        return ()
    if city.categories.get(code) is None:
        raise BadInput(field=field, problem="is not a category of this city")
    return city.categories.path(code)


def without_numbers(**texts: str | None) -> None:
    """Raises BadInput naming the text that holds the number of a person: what is read out to everybody holds none."""
    for field, text in texts.items():
        if text and find_personal(text):
            raise BadInput(field=field, problem="holds a telephone, identity or card number; leave it out")


def below(paths: Sequence[str]) -> list[str] | None:
    """A path as statements take it: no path narrows nothing."""
    return list(paths) or None
