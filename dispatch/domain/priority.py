"""Priority (优先级) as data: urgency, safety, people, earliest due. Volume of one caller is no part of it (S04)."""

from datetime import datetime
from typing import Any


def people_band(people: int) -> str:
    """The band of a number of different people: 1, 2–4, 5–19, 20+."""
    return "20+" if people >= 20 else "5-19" if people >= 5 else "2-4" if people >= 2 else "1"


def explain(urgency: str, safety: bool, people: int, due_at: datetime | None) -> dict[str, Any]:
    """The tuple by which queues are ordered, each part named."""
    return {"urgency": urgency, "safety": safety, "people": people_band(people), "due_at": due_at}
