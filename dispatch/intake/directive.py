"""What a person at the desk decided about a report before it is taken in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Directive:
    """`joins`: the id of the case that the report is about, whatever matching would say."""

    joins: int | None = None


NONE = Directive()
