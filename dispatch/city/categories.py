"""Categories (分类): versioned code tables of events (事件), components (部件) and hotline subjects (热线事项).

One code can mean two things: in the event tables of the older generation (CJ/T 214) class 04 is 突发事件 and 05
街面秩序, in the newer one it is the other way round. So a code is always read against a table version, the current one
where none is given.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dispatch.city.errors import UnknownCategory
from sla.limits import Limit

Branch = Literal["event", "component", "subject"]
Routes = Literal["by_place", "by_registration", "city_wide"]
Urgency = Literal["ordinary", "urgent", "critical"]


@dataclass(frozen=True, slots=True)
class Category:
    """One row of a code table.

    `kin` is the family within which reports are compared for matching. `no_merge`: each person's own claim, never
    attached to another person's case. `restricted`: seen only by named readers. `as_current`: in a superseded table,
    the code of the current table as which it is routed, timed and matched.
    """

    code: str
    name: str
    parent: str | None
    branch: Branch
    table_version: str
    routes: Routes
    kin: str
    urgency: Urgency = "ordinary"
    limit: Limit | None = None
    no_merge: bool = False
    restricted: bool = False
    as_current: str | None = None


class Categories:
    """All code tables of a city, immutable; parents must exist and form no cycle."""

    def __init__(self, categories: Iterable[Category], current: Mapping[Branch, str]) -> None:
        """`current` names the table version of each branch that is meant where none is given."""
        self._tables = {(category.code, category.table_version): category for category in categories}
        self.current: dict[Branch, str] = dict(current)
        self._current = {
            category.code: category
            for category in self._tables.values()
            if self.current.get(category.branch) == category.table_version
        }
        self._paths = {key: tuple(self._upwards(category)) for key, category in self._tables.items()}
        self._limits = {key: self._first_limit(category) for key, category in self._tables.items()}

    def __iter__(self) -> Iterator[Category]:
        return iter(self._tables.values())

    def __len__(self) -> int:
        return len(self._tables)

    def get(self, code: str, version: str | None = None) -> Category | None:
        """The category of a code in a table version, in the current one where none is given; None if not there."""
        return self._current.get(code) if version is None else self._tables.get((code, version))

    def path(self, code: str, version: str | None = None) -> tuple[str, ...]:
        """What rules may name for this category: the code, its ancestors and its branch, most specific first.

        A code of a superseded table stands as `code@version`, followed by the path of the current code it counts as:
        `("E0401@2005", "E0505", "E05", "event")`. Raises `UnknownCategory`.
        """
        return self._paths[self._key(code, version)]

    def limit(self, code: str, version: str | None = None) -> Limit | None:
        """The limit that the code tables give, the nearest along the path; raises `UnknownCategory`."""
        return self._limits[self._key(code, version)]

    def _key(self, code: str, version: str | None) -> tuple[str, str]:
        category = self.get(code, version)
        if category is None:
            raise UnknownCategory(code, version)
        return category.code, category.table_version

    def _lineage(self, category: Category) -> Iterator[Category]:
        step: Category | None = category
        while step is not None:
            yield step
            if step.as_current is not None:
                step = self._current[step.as_current]
            else:
                step = self._tables[step.parent, step.table_version] if step.parent else None

    def _upwards(self, category: Category) -> Iterator[str]:
        for step in self._lineage(category):
            superseded = self._current.get(step.code) is not step
            yield f"{step.code}@{step.table_version}" if superseded else step.code
        yield category.branch

    def _first_limit(self, category: Category) -> Limit | None:
        return next((step.limit for step in self._lineage(category) if step.limit is not None), None)
