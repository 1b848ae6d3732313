"""The closing account of a replay: every row read is found again under exactly one heading.

| heading | a row is there when |
|---|---|
| `unmapped` by reason | it lacks what no report can be sent without, and was not sent |
| `already` | the service had it: the answer was 200 with the first answer |
| `outcomes` by outcome | it was accepted: opened, attached, linked, reopened, triage, answered, rejected |
| `quarantined` by reason | it was set aside with an owner and a deadline |
| `refused` by problem | it was answered with any other status |

`suggested` and `unrouted` count accepted rows once more: those a person is asked about, and those without a lead unit
or sent to the city's fallback because no rule of the duty book held.
A closed row is found once under `closings`: `closed`, `not_own` (its report was attached to the case of another row, or
is no case), or the problem the service answered with.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.errors import ConnectorError

Answer = Mapping[str, Any]
OWN_CASE: Final = frozenset({"opened", "linked", "reopened", "triage"})
NO_RULE: Final = frozenset({"fallback", "nobody_else"})
CREATED: Final = range(201, 300)
ALREADY: Final = 200


class Unbalanced(ConnectorError):
    """The account does not add up: {total} {what}, {found} found again."""

    def __init__(self, what: str, total: int, found: int) -> None:
        super().__init__(what, total, found)
        self.what = what
        self.total = total
        self.found = found


@dataclass(slots=True)
class Account:
    """What became of every row, as the table above says. `closed_rows` is how many rows had a closing time."""

    read: int = 0
    already: int = 0
    unmapped: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    suggested: int = 0
    unrouted: int = 0
    closed_rows: int = 0
    closings: Counter[str] = field(default_factory=Counter)

    def enter(self, answer: Answer) -> str | None:
        """Enter the answer to one report; gives its outcome, None where it was refused."""
        status, body = answer["status"], answer["body"]
        if status != ALREADY and status not in CREATED:
            self.refused[problem_of(answer)] += 1
            return None
        outcome = str(body.get("outcome"))
        if status == ALREADY:
            self.already += 1
        elif outcome == "quarantined":
            self.quarantined[_first_warning(body)] += 1
        else:
            self.outcomes[outcome] += 1
            self.suggested += bool((body.get("match") or {}).get("suggested"))
            rule = (body.get("route") or {}).get("rule")
            self.unrouted += not body.get("lead_unit") or rule in NO_RULE
        return outcome

    def balance(self) -> None:
        """Raises Unbalanced unless every row read, and every closed row, is found under exactly one heading."""
        headings = (self.unmapped, self.outcomes, self.quarantined, self.refused)
        found = self.already + sum(heading.total() for heading in headings)
        if found != self.read:
            raise Unbalanced("rows read", self.read, found)
        if self.closings.total() != self.closed_rows:
            raise Unbalanced("closed rows", self.closed_rows, self.closings.total())


def problem_of(answer: Answer) -> str:
    """The status with the last part of the problem's type (RFC 9457), and its field where one is named."""
    body = answer["body"] or {}
    words = (str(answer["status"]), str(body.get("type", "")).rpartition("/")[2], str(body.get("field") or ""))
    return " ".join(word for word in words if word)


def _first_warning(body: Mapping[str, Any]) -> str:
    warnings = body.get("warnings") or [{}]
    return " ".join(str(warnings[0][key]) for key in ("field", "code") if warnings[0].get(key)) or "not stated"
