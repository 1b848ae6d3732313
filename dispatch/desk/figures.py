"""Figures of the operator's desk, from the record: each with what it was counted from, and never above 1."""

from datetime import datetime

from msgspec import Struct

from dispatch.insight.unsuited import DECIDING
from dispatch.store.pool import Executor, one
from dispatch.store.statements import load

SQL = load(__file__, "figures")


class Figure(Struct, frozen=True):
    """A share; `value` is null where there was nothing to count."""

    numerator: int
    denominator: int
    excluded: int
    value: float | None


class DeskFigures(Struct, frozen=True):
    """Of the matters received in a period those answered at once, calls without a matter left out; of refusals those taken back.

    Of the same matters those for which an ending was suggested (不予受理建议); of these, once a person decided, those that did
    not end so; and of those that did, those taken back.
    """

    direct_answer_rate: Figure
    rejection_reversal_rate: Figure
    unsuited_rate: Figure
    unsuited_override_rate: Figure
    unsuited_reversal_rate: Figure


async def figures(connection: Executor, since: datetime, until: datetime) -> DeskFigures:
    """The figures of `[since, until)`; a case counts where it was received, a refusal where it was made."""
    row = await one(connection, SQL.desk, since, until)
    seeming = await one(connection, SQL.unsuited, since, until, list(DECIDING))
    decided, agreed = seeming["decided"], seeming["agreed"]
    return DeskFigures(
        share(row["answered"], row["received"] - row["ended"], row["ended"]),
        share(row["reversed"], row["rejected"], 0),
        share(seeming["suggested"], row["received"], 0),
        share(decided - agreed, decided, seeming["suggested"] - decided),
        share(seeming["reversed"], agreed, 0),
    )


def share(numerator: int, denominator: int, excluded: int) -> Figure:
    """A figure with its value, to four places."""
    return Figure(numerator, denominator, excluded, round(numerator / denominator, 4) if denominator else None)
