"""What an address without text around it says: its streets, and the whole of it in one form.

`INTERSECTION of Oak St & Elm St  Northside  XX` is two streets; `12-14 Oak St  Northside  XX 01234` is one street with houses.
Parts are held apart by two blanks or more, or by commas; the part after the street tells streets of one name apart.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

CROSSING: Final = re.compile(r"^intersection\s+(?:of\s+)?", re.IGNORECASE)
HOUSES: Final = re.compile(r"^\d+\w*(?:\s*-\s*\d+\w*)?\s+")
PARTS: Final = re.compile(r"\s{2,}|,\s*")
KEPT: Final = 100_000


class Address(NamedTuple):
    """`streets` with their quarter, and `whole` for what must be equal to be one address; both empty where nothing is said."""

    streets: frozenset[str] = frozenset()
    whole: str = ""


NOWHERE: Final = Address()


@lru_cache(KEPT)
def address(text: str) -> Address:
    """The address in a text; the order of the streets of a crossing does not matter."""
    parts = [part for part in PARTS.split(text.strip().lower()) if part]
    if not parts:
        return NOWHERE
    head, quarter = parts[0], parts[1] if len(parts) > 2 else ""
    if CROSSING.match(head):
        names = [name.strip() for name in CROSSING.sub("", head).split("&")]
        whole = " & ".join(sorted(names))
    else:
        names, whole = [HOUSES.sub("", head)], head
    return Address(frozenset(f"{name}, {quarter}" for name in names if name), f"{whole}, {quarter}")
