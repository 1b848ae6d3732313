"""What a person at the desk decided about a report before it is taken in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Directive:
    """`joins`: the id of the case that the report is about, whatever matching would say.

    `hold`: the report stays on the operator's desk as a case of its own; what matching finds is only suggested.
    """

    joins: int | None = None
    hold: bool = False


NONE = Directive()
