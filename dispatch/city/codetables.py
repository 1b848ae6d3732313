"""The code tables that `city.toml` names, read into categories."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dispatch.city.categories import Branch, Categories, Category
from dispatch.city.rows import CategoryRow
from dispatch.city.settings import CodeTable
from dispatch.city.tables import Line, read_table
from dispatch.city.trees import sound_parents
from sla.errors import Fault, SlaError
from sla.limits import Limit, parse_limit


@dataclass(frozen=True, slots=True)
class CodeTables:
    """The categories, and file and line of each by code and table version."""

    categories: Categories
    places: Mapping[tuple[str, str], tuple[str, int]]

    def names(self) -> set[str]:
        """Every code that a duty rule or a policy may name."""
        return {name for each in self.categories for name in self.categories.path(each.code, each.table_version)}


def read_code_tables(tables: Iterable[tuple[CodeTable, bytes]], faults: list[Fault]) -> CodeTables:
    """All tables, with every fault; rows with a faulty link count as if they had none."""
    found: list[Category] = []
    places: dict[tuple[str, str], tuple[str, int]] = {}
    versions: dict[Branch, str] = {}
    for table, data in tables:
        if table.current:
            versions[table.branch] = table.version
        lines = read_table(table.file, data, CategoryRow, faults)
        parents = sound_parents(table.file, ((line.number, line.row.code, line.row.parent) for line in lines), faults)
        for line in lines:
            key = line.row.code, table.version
            if key not in places:
                places[key] = table.file, line.number
                found.append(_category(line, parents[line.row.code], table, faults))
            elif places[key][0] != table.file:
                other, number = places[key]
                faults.append(
                    Fault(table.file, line.number, "code", f"{line.row.code}: is also on line {number} of {other}")
                )
    return CodeTables(Categories(_sound_links(found, versions, places, faults), versions), places)


def _category(line: Line[CategoryRow], parent: str | None, table: CodeTable, faults: list[Fault]) -> Category:
    row = line.row
    return Category(
        code=row.code,
        name=row.name,
        parent=parent,
        branch=table.branch,
        table_version=table.version,
        routes=row.routes,
        kin=row.kin or row.code,
        urgency=row.urgency,
        limit=_limit(line, table, faults),
        no_merge="no_merge" in row.flags,
        restricted="restricted" in row.flags,
        as_current=row.as_current or None,
    )


def _limit(line: Line[CategoryRow], table: CodeTable, faults: list[Fault]) -> Limit | None:
    if not line.row.limit:
        return None
    try:
        return parse_limit(line.row.limit, table.dialect)
    except SlaError as error:
        faults.append(Fault(table.file, line.number, "limit", str(error)))
        return None


def _sound_links(
    found: Iterable[Category],
    versions: Mapping[Branch, str],
    places: Mapping[tuple[str, str], tuple[str, int]],
    faults: list[Fault],
) -> list[Category]:
    """The categories; `as_current` stays where it leads from a superseded table to the current one of its branch."""
    current = {(each.branch, each.code) for each in found if versions.get(each.branch) == each.table_version}
    sound = []
    for category in found:
        link, here = category.as_current, versions.get(category.branch) == category.table_version
        if link and (here or (category.branch, link) not in current):
            problem = "stands in the current table itself" if here else f"{link}: not in the current table"
            file, number = places[category.code, category.table_version]
            faults.append(Fault(file, number, "as_current", problem))
            category = replace(category, as_current=None)
        sound.append(category)
    return sound
