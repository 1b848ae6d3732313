"""What a batch is decided and written with."""

from dataclasses import dataclass, field
from math import inf

from dispatch.city.model import City
from dispatch.intake.lessons import NO_LESSONS, Lessons
from dispatch.people.keyring import Keyring
from dispatch.store.clock import Clock
from dispatch.store.pool import Ids


@dataclass(frozen=True, slots=True)
class Desk:
    """What a batch is committed with."""

    city: City
    keyring: Keyring
    clock: Clock
    ids: Ids
    lessons: Lessons = field(default_factory=lambda: NO_LESSONS)
    # What a belief must exceed so that a report without words joins a case.
    asked: float = inf
