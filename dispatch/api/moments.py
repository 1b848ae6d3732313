"""Instants of requests: whatever offset they came with, as the database can keep them."""

from datetime import UTC, datetime

from dispatch.domain.errors import BadInput


def moment(field: str, given: datetime | None) -> datetime | None:
    """A time in UTC. Raises BadInput for one that its offset carries out of the calendar."""
    try:
        return given.astimezone(UTC) if given else None
    except OverflowError:
        raise BadInput(field=field, problem="lies outside the years 1 to 9999") from None
