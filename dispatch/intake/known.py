"""What is known of a case, by the names under which the columns of a history stand for it.

| column                                              | value                                                      |
|-----------------------------------------------------|------------------------------------------------------------|
| `category` `category_name`                          | of the category                                            |
| `parent_category` `parent_category_name` `branch`   | what is above it in its table, and the table               |
| `area` `area_name`                                  | of the most specific area that is known                    |
| `parent_area` `parent_area_name`                    | of the area around that                                    |
| `community` `street` `district`, each with `_name`  | of the area of this level, by the length of its code       |
| `channel` `kind` `urgency`                          | of the case                                                |

What is not known is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dispatch.city.categories import Category
from dispatch.city.model import City

# Levels by the length of an area's code.
LEVELS: Final[Mapping[str, int]] = MappingProxyType({"community": 12, "street": 9, "district": 6})
_NAMED: Final = ("category", "parent_category", "area", "parent_area", *LEVELS)
FIELDS: Final = (*_NAMED, *(f"{name}_name" for name in _NAMED), "branch", "channel", "kind", "urgency")


@dataclass(frozen=True, slots=True)
class Known:
    """A case as models are asked about it."""

    category: Category | None
    area: str | None
    channel: str
    kind: str
    urgency: str

    def row(self, city: City) -> dict[str, str]:
        """A value for each field."""
        found = dict.fromkeys(FIELDS, "") | {"channel": self.channel, "kind": self.kind, "urgency": self.urgency}
        if (category := self.category) is not None:
            above = city.categories.get(category.parent, category.table_version) if category.parent else None
            found |= {"category": category.code, "category_name": category.name, "branch": category.branch}
            found |= {"parent_category": above.code, "parent_category_name": above.name} if above else {}
        areas = city.map.areas
        path = areas.path(self.area) if self.area is not None and self.area in areas else ()
        placed = dict(zip(("area", "parent_area"), path, strict=False))
        placed |= {level: code for level, digits in LEVELS.items() for code in path if len(code) == digits}
        return found | placed | {f"{name}_name": areas.areas[code].name for name, code in placed.items()}
