"""Limits (时限): how long, in time that runs through or in working time."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sla.errors import AmbiguousLimit, UnknownLimit

Unit = Literal["min", "h", "d", "wh", "wd"]
Mode = Literal["hours8", "day_end"]
Dialect = Literal["hotline", "city-management"]

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
MOST: Final = 99_999

_NATURAL_SECONDS: Final[dict[str, int]] = {"min": 60, "h": 3_600, "d": 86_400}
_CHINESE: Final[dict[str, Unit]] = {
    "分钟": "min",
    "紧急工作时": "h",
    "自然时": "h",
    "工作时": "wh",
    "紧急工作日": "d",
    "自然日": "d",
    "工作日": "wd",
}
_BARE: Final[dict[str, dict[Dialect, Unit]]] = {
    "小时": {"hotline": "h", "city-management": "wh"},
    "天": {"hotline": "d", "city-management": "wd"},
}
_CANONICAL: Final = re.compile(r"([1-9][0-9]{0,4})(min|h|d|wh|wd)")
# A number in the rest ("5天或10天", "1天半") would change the limit, so such text is never taken for a remark.
_WRITTEN: Final = re.compile(
    rf"([1-9][0-9]{{0,4}})个?({'|'.join((*_CHINESE, *_BARE))})([^\d〇零一二两三四五六七八九十百半]*)"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A whole number (1 to 99,999) of one unit.

    `min`, `h` and `d` (24 hours) run through nights and holidays; `wh` and `wd` run only inside work slots.
    Raises UnknownLimit for another unit or amount.
    """

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit) or not 1 <= self.amount <= MOST:
            raise UnknownLimit(str(self))

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"

    @property
    def natural(self) -> bool:
        """Whether the limit runs through, without regard to work slots."""
        return self.unit in _NATURAL_SECONDS

    @property
    def natural_seconds(self) -> int:
        """Length in seconds of a limit that runs through; KeyError for working time, which needs a calendar."""
        return self.amount * _NATURAL_SECONDS[self.unit]


def parse_limit(text: str, dialect: Dialect | None = None) -> Limit:
    """Read a limit in canonical form (`30min 24h 7d 4wh 5wd`) or with a Chinese unit.

    In the table of urgent and working units that city management uses, 紧急工作时 and 紧急工作日 run through nights and
    holidays, 工作时 and 工作日 do not. Bare 小时 and 天 mean natural time on a hotline and working time in city
    management, so they need the table's `dialect`. With a dialect a remark without numbers may follow the unit
    ("1紧急工作时制止"). Raises AmbiguousLimit for a bare unit without a dialect, UnknownLimit for everything else.
    """
    stripped = text.strip()
    if canonical := _CANONICAL.fullmatch(stripped):
        return Limit(int(canonical[1]), _unit(canonical[2]))
    written = _WRITTEN.fullmatch(stripped)
    if written is None:
        raise UnknownLimit(text)
    amount, unit, remark = int(written[1]), written[2], written[3]
    if dialect is None:
        if unit in _BARE:
            raise AmbiguousLimit(text)
        if remark:
            raise UnknownLimit(text)
        return Limit(amount, _CHINESE[unit])
    return Limit(amount, _BARE[unit][dialect] if unit in _BARE else _CHINESE[unit])


def _unit(word: str) -> Unit:
    return next(unit for unit in get_args(Unit) if unit == word)
