"""Families of reports (诉求类型): the sentences of `families.toml` and the category each finds in a city."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Subject = tuple[str, str, str]


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of trouble with its phrases; the slots are explained at the head of `families.toml`."""

    id: str
    names: tuple[str, ...]
    where: Literal["street", "estate", "none"]
    kind: str
    what: tuple[str, ...]
    harm: tuple[str, ...]
    want: tuple[str, ...]
    urgency: str = "ordinary"
    kin: str = ""
    ours: bool = True
    patrol: bool = False
    object: tuple[str, ...] = ()
    party: str = ""

    @property
    def group(self) -> str:
        """The kin, or the family itself where it has none."""
        return self.kin or self.id


class _Book(msgspec.Struct, frozen=True):
    family: tuple[Family, ...]


@cache
def all_families() -> tuple[Family, ...]:
    """Every family of the file, in its order."""
    text = files("connectors.generator").joinpath("families.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Book).family


def category_of(family: Family, subjects: Sequence[Subject]) -> str | None:
    """The code of the category that carries one of the names: most wanted first, then the shortest category name."""
    for wanted in family.names:
        found = [(len(name), code) for code, name, _ in subjects if wanted in name]
        if found:
            return min(found)[1]
    return None
