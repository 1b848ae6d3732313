"""Policies (时限规则): which limit a clock has, by category, urgency, branch and kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Self

from sla.clocks import CLOCKS, URGENCIES
from sla.errors import AmbiguousLimit, Fault, PolicyFaults, UnknownLimit
from sla.limits import MODES, Limit, Mode, parse_limit
from sla.rows import Row, read_rows

BRANCHES: Final = ("event", "component", "subject")
KINDS: Final = ("consult", "help", "complaint", "tipoff", "suggest", "praise", "other", "patrol", "sensor")
CATEGORY_LIMIT_RULE: Final = "category"

_FIELDS: Final = ("id", "clock", "category", "urgency", "branch", "kind", "limit", "mode")
_CATEGORY_CLOCKS: Final = ("close", "reply")

# clock, category, urgency, branch, kind; None = any
_Cell = tuple[str, str | None, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class PolicyLimit:
    """The limit that applies, how its working days read, and the id of the row that says so.

    `rule` is `category` where the limit stands in the category table.
    """

    limit: Limit
    mode: Mode
    rule: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One row; an empty tuple means any. `line` is its place in the file."""

    id: str
    clocks: tuple[str, ...]
    categories: tuple[str, ...]
    urgencies: tuple[str, ...]
    branches: tuple[str, ...]
    kinds: tuple[str, ...]
    limit: Limit
    mode: Mode
    line: int

    def cells(self) -> Iterator[_Cell]:
        """Every combination of single values that the row names."""
        return product(
            self.clocks,
            self.categories or (None,),
            self.urgencies or (None,),
            self.branches or (None,),
            self.kinds or (None,),
        )


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All policies of a city, the most specific first.

    Order of specificity, each before everything after it: the deeper category, a named urgency, a named branch, a
    named kind. So a row for a category beats one for an urgency, and one for the category itself beats one for its
    parent. Two rows that name the same fields and share a value in each are equally specific, which is a fault.
    """

    policies: tuple[Policy, ...]
    _by_cell: dict[_Cell, Policy]

    # One book, however it was made, is one key of a cache.
    __hash__ = object.__hash__

    @classmethod
    def parse(cls, toml_text: str, source: str) -> Self:
        """Read `[[policy]]` rows; `source` is the file's name in faults. Raises PolicyFaults with every fault."""
        rows, faults = read_rows(toml_text, source, "policy")
        policies = tuple(policy for row in rows if (policy := _policy(row)) is not None)
        by_cell: dict[_Cell, Policy] = {}
        ids: dict[str, Policy] = {}
        for policy in policies:
            if (first := ids.setdefault(policy.id, policy)) is not policy:
                faults.append(Fault(source, policy.line, "id", f"{policy.id!r} is also the id of line {first.line}"))
            rivals = {by_cell.setdefault(cell, policy).line for cell in policy.cells()} - {policy.line}
            faults += [
                Fault(source, policy.line, "", f"matches the same as the row in line {line} and is no more specific")
                for line in sorted(rivals)
            ]
        if faults:
            raise PolicyFaults(tuple(sorted(faults, key=lambda fault: fault.line)))
        return cls(policies, by_cell)

    def limit(
        self,
        clock: str,
        *,
        category: tuple[str, ...],
        kind: str,
        urgency: str,
        branch: str,
        category_limit: Limit | None = None,
    ) -> PolicyLimit | None:
        """The limit of `clock`, or None where no row matches.

        `category` is the code and its ancestors, the most specific first. `category_limit` is what the category table
        itself says: it stands for `close` and `reply` wherever no row names the category or an ancestor, and its
        working days read as those of the row whose place it takes (`hours8` where there is none).
        """
        cells = product((clock,), (*category, None), (urgency, None), (branch, None), (kind, None))
        found = next((policy for cell in cells if (policy := self._by_cell.get(cell))), None)
        if category_limit is not None and clock in _CATEGORY_CLOCKS and not (found and found.categories):
            return PolicyLimit(category_limit, found.mode if found else "hours8", CATEGORY_LIMIT_RULE)
        return PolicyLimit(found.limit, found.mode, found.id) if found else None


def _policy(row: Row) -> Policy | None:
    row.only(_FIELDS)
    name, clocks = row.word("id"), row.words("clock", CLOCKS)
    if not clocks:
        row.fault("clock", "is missing")
    if name == CATEGORY_LIMIT_RULE:
        row.fault("id", f"{CATEGORY_LIMIT_RULE!r} is the name of limits from the category table")
    categories = row.words("category")
    urgencies, branches, kinds = (
        row.words("urgency", URGENCIES),
        row.words("branch", BRANCHES),
        row.words("kind", KINDS),
    )
    limit, mode = _limit(row), _mode(row)
    if limit is None or mode is None or not row.sound:
        return None
    return Policy(name, clocks, categories, urgencies, branches, kinds, limit, mode, row.line)


def _limit(row: Row) -> Limit | None:
    if text := row.word("limit"):
        try:
            return parse_limit(text)
        except (UnknownLimit, AmbiguousLimit) as error:
            row.fault("limit", str(error))
    return None


def _mode(row: Row) -> Mode | None:
    if word := row.word("mode"):
        for mode in MODES:
            if word == mode:
                return mode
        row.fault("mode", f"unknown value {word!r}; known are {', '.join(MODES)}")
    return None
