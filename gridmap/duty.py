"""The duty book (权责清单): which unit leads a matter of one category in one area on one day.

How a unit is chosen, the first that answers wins:

| order | candidates                                        | `Choice.reason` |
|-------|---------------------------------------------------|-----------------|
| 1     | rules, by depth of category, then depth of area, then with a condition before without, then rule id | `rule` |
| 2     | the local unit of the place, most specific area first (属地兜底) | `local`  |
| 3     | the city's fallback                               | `fallback`      |
| 4     | the city's fallback although it is excluded       | `nobody_else`   |

A rule without an area holds in the whole city and comes after every rule with one. An excluded unit is never chosen
in 1 to 3; only when nobody else is left does the last row apply, because a case without an owner is worse than one
that a person must move.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

from gridmap.errors import BadCondition

Reason = Literal["rule", "local", "fallback", "nobody_else"]
Problem = Literal["bad_condition", "dates_reversed", "duplicate_rule"]
NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DutyRule:
    """One line of the duty book.

    `category` and `area` cover everything below them; `area` None is the whole city. `condition` is `key=value` on
    the attributes of a report, or None. `valid_from` and `valid_to` are the first and the last day, both included;
    None is open. `lead` is 主办, `assists` 协办.
    """

    rule: str
    category: str
    area: str | None
    condition: str | None
    valid_from: date | None
    valid_to: date | None
    lead: str
    assists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DutyFault:
    """What is wrong with one rule, for a checker that lists every fault at once."""

    rule: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """Who leads, who assists, and why.

    `rule` is the id of the rule, or `local:<area>`, `fallback`, `nobody_else`. `tried` lists what was considered in
    order, each as `<rule> <verdict>`, the verdict one of chosen, not_yet_valid, expired, condition_not_met, excluded.
    """

    lead: str
    assists: tuple[str, ...]
    rule: str
    tried: tuple[str, ...]
    reason: Reason


class DutyBook:
    """An immutable duty book; safe to share between threads and to swap by reference."""

    def __init__(self, rules: Iterable[DutyRule], fallback: str, local: Mapping[str, str] = NO_ATTRIBUTES) -> None:
        """Index the rules.

        `fallback` is the unit that takes what nobody else answers for; `local` names the responsible unit of areas by
        their code. Raises `BadCondition` for a condition that is not `key=value`.
        """
        self.fallback = fallback
        self.local = MappingProxyType(dict(local))
        self._rules: dict[tuple[str, str | None], list[tuple[DutyRule, tuple[str, str] | None]]] = {}
        for rule in sorted(rules, key=lambda rule: (rule.condition is None, rule.rule)):
            wanted = parse_condition(rule.condition) if rule.condition else None
            self._rules.setdefault((rule.category, rule.area), []).append((rule, wanted))

    def route(
        self,
        category_path: tuple[str, ...],
        area_path: tuple[str, ...],
        day: date,
        excluded: AbstractSet[str] = frozenset(),
        attributes: Mapping[str, str] = NO_ATTRIBUTES,
    ) -> Choice:
        """The unit that leads a matter; never empty.

        Both paths are codes from the most specific upwards and may be empty; `day` is the local day of intake;
        `excluded` are unit codes, with their subtrees, that may neither lead nor assist; `attributes` are those of
        the report.
        """
        tried: list[str] = []
        for rule, wanted in self._candidates(category_path, area_path):
            verdict = _verdict(rule, wanted, day, excluded, attributes)
            tried.append(f"{rule.rule} {verdict}")
            if verdict == "chosen":
                assists = tuple(unit for unit in rule.assists if unit not in excluded)
                return Choice(rule.lead, assists, rule.rule, tuple(tried), "rule")
        return self._last_resort(area_path, excluded, tried)

    def coverage(
        self, categories: Iterable[tuple[str, ...]], areas: Sequence[tuple[str, ...]], day: date
    ) -> list[tuple[str, str]]:
        """The (category, area) pairs that no rule answers on `day`, so that only a fallback would.

        Categories and areas are given as paths, most specific first. A rule with a condition does not count, for a
        report may not meet it.
        """
        return [
            (category_path[0], area_path[0])
            for category_path in categories
            for area_path in areas
            if not any(
                wanted is None and _verdict(rule, None, day, frozenset(), NO_ATTRIBUTES) == "chosen"
                for rule, wanted in self._candidates(category_path, area_path)
            )
        ]

    def _candidates(
        self, category_path: tuple[str, ...], area_path: tuple[str, ...]
    ) -> Iterator[tuple[DutyRule, tuple[str, str] | None]]:
        for category in category_path:
            for area in (*area_path, None):
                yield from self._rules.get((category, area), ())

    def _last_resort(self, area_path: tuple[str, ...], excluded: AbstractSet[str], tried: list[str]) -> Choice:
        for area in area_path:
            unit = self.local.get(area)
            if unit is None:
                continue
            if unit not in excluded:
                return Choice(unit, (), f"local:{area}", (*tried, f"local:{area} chosen"), "local")
            tried.append(f"local:{area} excluded")
        if self.fallback not in excluded:
            return Choice(self.fallback, (), "fallback", (*tried, "fallback chosen"), "fallback")
        return Choice(
            self.fallback, (), "nobody_else", (*tried, "fallback excluded", "nobody_else chosen"), "nobody_else"
        )


def parse_condition(condition: str) -> tuple[str, str]:
    """The key and the value of `key=value`, without the spaces around them; raises `BadCondition`."""
    key, equals, value = (part.strip() for part in condition.partition("="))
    if not (key and equals and value):
        raise BadCondition(condition)
    return key, value


def rule_faults(rules: Iterable[DutyRule]) -> list[DutyFault]:
    """Every fault of the rules by themselves, in their order; unknown codes are for who has the tables."""
    faults = []
    seen: set[str] = set()
    for rule in rules:
        if rule.rule in seen:
            faults.append(DutyFault(rule.rule, "duplicate_rule"))
        seen.add(rule.rule)
        if rule.valid_from and rule.valid_to and rule.valid_from > rule.valid_to:
            faults.append(DutyFault(rule.rule, "dates_reversed"))
        try:
            parse_condition(rule.condition) if rule.condition else None
        except BadCondition:
            faults.append(DutyFault(rule.rule, "bad_condition"))
    return faults


def _verdict(
    rule: DutyRule,
    wanted: tuple[str, str] | None,
    day: date,
    excluded: AbstractSet[str],
    attributes: Mapping[str, str],
) -> str:
    if rule.valid_from is not None and day < rule.valid_from:
        return "not_yet_valid"
    if rule.valid_to is not None and day > rule.valid_to:
        return "expired"
    if wanted is not None and attributes.get(wanted[0]) != wanted[1]:
        return "condition_not_met"
    return "excluded" if rule.lead in excluded else "chosen"
