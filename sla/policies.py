"""Policies (时限规则): which limit a clock has, by category, urgency, area, level of the unit, branch, kind and channel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Self

from sla.clocks import CLOCKS, URGENCIES, WINDOWS
from sla.errors import AmbiguousLimit, Fault, PolicyFaults, UnknownLimit
from sla.limits import MODES, Limit, Mode, parse_limit
from sla.rows import Row, read_rows

BRANCHES: Final = ("event", "component", "subject")
KINDS: Final = ("consult", "help", "complaint", "tipoff", "suggest", "praise", "other", "patrol", "sensor")
CATEGORY_LIMIT_RULE: Final = "category"

_FIELDS: Final = (
    "id", "clock", "category", "urgency", "area", "level", "branch", "kind", "channel", "limit", "mode", "citation",
)  # fmt: skip
_CATEGORY_CLOCKS: Final = ("close", "reply")

# clock, category, urgency, area, level, branch, kind, channel; None = any
_Cell = tuple[str, str | None, str | None, str | None, int | None, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class PolicyLimit:
    """The limit that applies, how its working days read, and the id of the row that says so.

    `rule` is `category` where the limit stands in the category table. `citation` is the law or rule that a statutory row
    quotes.
    """

    limit: Limit
    mode: Mode
    rule: str
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """One row; an empty tuple means any. With a `citation` it is statutory. `line` is its place in the file."""

    id: str
    clocks: tuple[str, ...]
    categories: tuple[str, ...]
    urgencies: tuple[str, ...]
    areas: tuple[str, ...]
    levels: tuple[int, ...]
    branches: tuple[str, ...]
    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    limit: Limit
    mode: Mode
    citation: str
    line: int

    def cells(self) -> Iterator[_Cell]:
        """Every combination of single values that the row names."""
        return product(
            self.clocks,
            self.categories or (None,),
            self.urgencies or (None,),
            self.areas or (None,),
            self.levels or (None,),
            self.branches or (None,),
            self.kinds or (None,),
            self.channels or (None,),
        )


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All policies of a city, statutory ones (with a citation) before all others, and in each the most specific first.

    Order of specificity, each before everything after it: the deeper category, a named urgency, the deeper area, a named
    level of the unit, a named branch, a named kind, a named channel. So a row for a category beats one for an urgency, and one for the
    category itself beats one for its parent. Two rows that name the same fields and share a value in each are equally
    specific, which is a fault, unless one of them is statutory.
    """

    policies: tuple[Policy, ...]
    _statutory: dict[_Cell, Policy]
    _ordinary: dict[_Cell, Policy]
    # Of area, level and channel those that any row names.
    named: frozenset[str]

    # One book, however it was made, is one key of a cache.
    __hash__ = object.__hash__

    @classmethod
    def parse(cls, toml_text: str, source: str) -> Self:
        """Read `[[policy]]` rows; `source` is the file's name in faults. Raises PolicyFaults with every fault."""
        rows, faults = read_rows(toml_text, source, "policy")
        policies = tuple(policy for row in rows if (policy := _policy(row)) is not None)
        statutory: dict[_Cell, Policy] = {}
        ordinary: dict[_Cell, Policy] = {}
        ids: dict[str, Policy] = {}
        for policy in policies:
            if (first := ids.setdefault(policy.id, policy)) is not policy:
                faults.append(Fault(source, policy.line, "id", f"{policy.id!r} is also the id of line {first.line}"))
            by_cell = statutory if policy.citation else ordinary
            rivals = {by_cell.setdefault(cell, policy).line for cell in policy.cells()} - {policy.line}
            faults += [
                Fault(source, policy.line, "", f"matches the same as the row in line {line} and is no more specific")
                for line in sorted(rivals)
            ]
        if faults:
            raise PolicyFaults(tuple(sorted(faults, key=lambda fault: fault.line)))
        named = {
            "area": any(each.areas for each in policies),
            "level": any(each.levels for each in policies),
            "channel": any(each.channels for each in policies),
        }
        return cls(policies, statutory, ordinary, frozenset(name for name, used in named.items() if used))

    def completed(self, defaults: Self) -> Self:
        """With the rows of `defaults` for every clock and window that no row here knows: a book older than the clock."""
        known = {clock for policy in self.policies for clock in policy.clocks}
        late = tuple(policy for policy in defaults.policies if known.isdisjoint(policy.clocks))
        if not late:
            return self
        cells = {cell: policy for policy in late for cell in policy.cells()}
        named = self.named | defaults.named
        return replace(self, policies=(*self.policies, *late), _ordinary={**self._ordinary, **cells}, named=named)

    @property
    def citations(self) -> dict[str, str]:
        """What statutory rows quote, by their id."""
        return {policy.id: policy.citation for policy in self.policies if policy.citation}

    def limit(
        self,
        clock: str,
        *,
        category: tuple[str, ...],
        kind: str,
        urgency: str,
        branch: str,
        area: tuple[str, ...] = (),
        level: int | None = None,
        channel: str = "",
        category_limit: Limit | None = None,
    ) -> PolicyLimit | None:
        """The limit of `clock`, or None where no row matches.

        `category` and `area` are a code and its ancestors, the most specific first; `level` is that of the unit whose clock
        it is, `channel` the one by which the case came. `category_limit` is what the category table itself says: it stands
        for `close` and `reply` wherever no row names the category or an ancestor and none is statutory, and its working days
        read as those of the row whose place it takes (`hours8` where there is none).
        """
        given = (*category, None), (urgency, None), (*area, None), (level, None), (branch, None), (kind, None)
        cells = tuple(product((clock,), *given, (channel, None)))
        if (found := _first(self._statutory, cells)) is not None:
            return PolicyLimit(found.limit, found.mode, found.id, found.citation)
        found = _first(self._ordinary, cells)
        if category_limit is not None and clock in _CATEGORY_CLOCKS and not (found and found.categories):
            return PolicyLimit(category_limit, found.mode if found else "hours8", CATEGORY_LIMIT_RULE)
        return PolicyLimit(found.limit, found.mode, found.id) if found else None


def _first(policies: dict[_Cell, Policy], cells: tuple[_Cell, ...]) -> Policy | None:
    return next((policy for cell in cells if (policy := policies.get(cell))), None) if policies else None


def _policy(row: Row) -> Policy | None:
    row.only(_FIELDS)
    name, clocks = row.word("id"), row.words("clock", (*CLOCKS, *WINDOWS))
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
    areas, levels, channels = row.words("area"), row.numbers("level"), row.words("channel")
    limit, mode, citation = _limit(row), _mode(row), row.optional("citation")
    if limit is None or mode is None or not row.sound:
        return None
    return Policy(
        name, clocks, categories, urgencies, areas, levels, branches, kinds, channels, limit, mode, citation, row.line
    )


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
