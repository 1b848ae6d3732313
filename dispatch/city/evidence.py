"""`evidence.csv`: what must be shown before a unit's reply is accepted, and before a case is closed (处置前后照片、核实)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

# Pictures of the place before and after the work; a collector's visit after the reply; `none` is an exception from a row above.
Need = Literal["photo_before", "photo_after", "site_check", "none"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a category needs. `within_m`: a picture of the finished work was taken so near the case's place, in metres."""

    category: str
    needs: frozenset[Need]
    within_m: int | None = None


class EvidenceBook:
    """The rows of a city; the deepest one along a category's path counts."""

    def __init__(self, rows: Iterable[Evidence]) -> None:
        self.rows: Mapping[str, Evidence] = MappingProxyType({row.category: row for row in rows})

    def of(self, path: Sequence[str]) -> Evidence | None:
        """What a category with this path (`Categories.path`) needs; None where nothing is asked."""
        return next((self.rows[code] for code in path if code in self.rows), None)
