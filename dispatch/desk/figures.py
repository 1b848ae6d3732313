"""Figures of the operator's desk, from the record: each with what it was counted from, and never above 1."""

from datetime import datetime

from msgspec import Struct

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
    """Of the matters received in a period those answered at once, calls without a matter left out; of refusals those taken back."""

    direct_answer_rate: Figure
    rejection_reversal_rate: Figure


async def figures(connection: Executor, since: datetime, until: datetime) -> DeskFigures:
    """The figures of `[since, until)`; a case counts where it was received, a refusal where it was made."""
    row = await one(connection, SQL.desk, since, until)
    return DeskFigures(
        share(row["answered"], row["received"] - row["ended"], row["ended"]), share(row["reversed"], row["rejected"], 0)
    )


def share(numerator: int, denominator: int, excluded: int) -> Figure:
    """A figure with its value, to four places."""
    return Figure(numerator, denominator, excluded, round(numerator / denominator, 4) if denominator else None)
