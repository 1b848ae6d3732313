"""The column `signoff` of `units.csv`: who signs a reply of the unit (签批) before it is the unit's word, one step after the other.

| cell                         | the reply of the unit is confirmed                                  |
|------------------------------|---------------------------------------------------------------------|
| empty                        | by whoever writes it                                                |
| `unit_head`                  | once a head of the unit signed it                                   |
| `unit_head;unit_head`        | once two heads of the unit signed it                                |
| `unit_head;parent:unit_head` | once a head of the unit, then one of the unit above it, signed it   |
"""

from dataclasses import dataclass
from typing import Final

ABOVE: Final = "parent:"
ROLES: Final = ("unit_head",)


@dataclass(frozen=True, slots=True)
class SignStep:
    """One step: somebody who holds `role` in the unit itself or, `above`, in the unit over it."""

    role: str
    above: bool = False


def parse_steps(cell: str, *, has_parent: bool) -> tuple[SignStep, ...]:
    """The steps of a cell in their order; raises ValueError saying what is wrong."""
    return tuple(_step(word.strip(), has_parent=has_parent) for word in cell.split(";")) if cell else ()


def _step(word: str, *, has_parent: bool) -> SignStep:
    above = word.startswith(ABOVE)
    role = word.removeprefix(ABOVE)
    if role not in ROLES:
        raise ValueError(f"{word!r}: no such step; one is {', '.join((*ROLES, *(ABOVE + each for each in ROLES)))}")
    if above and not has_parent:
        raise ValueError(f"{word!r}: there is no unit above it")
    return SignStep(role, above)
