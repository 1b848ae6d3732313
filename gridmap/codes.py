"""Codes of areas and cells.

An area code is the national administrative code (GB/T 2260 for county and above, GB/T 10114 below it): 2 digits
province, 4 city, 6 county or district (区县), 9 street or town (街道), 12 community or village (社区); each is its
parent's code with more digits. A cell code (单元网格, GB/T 30428.1) is the 12 digits of its community and a sequence
of 3. Cities that use other cell codes give their own pattern.
"""

import re
from typing import NamedTuple, Self

from gridmap.errors import BadCode

AREA_CODE_LENGTHS = (2, 4, 6, 9, 12)
CELL_CODE = re.compile(r"[0-9]{15}")
SEQUENCE_DIGITS = 3
LAST_SEQUENCE = 10**SEQUENCE_DIGITS - 1


class CellCode(NamedTuple):
    """The four parts of a 15-digit cell code; each part is only the digits it adds."""

    county: str
    street: str
    community: str
    sequence: str

    @classmethod
    def parse(cls, code: str) -> Self:
        """The parts of `code`; raises `BadCode` unless it is 15 digits."""
        if not is_cell_code(code):
            raise BadCode(code, "15 digits: 6 county, 3 street, 3 community, 3 sequence")
        return cls(code[:6], code[6:9], code[9:12], code[12:])

    @property
    def area(self) -> str:
        """The 12-digit code of the community the cell lies in."""
        return self.county + self.street + self.community

    def __str__(self) -> str:
        return self.area + self.sequence


def is_cell_code(code: str, pattern: re.Pattern[str] = CELL_CODE) -> bool:
    """Whether the whole of `code` matches the city's pattern for cells; the default is 15 digits."""
    return pattern.fullmatch(code) is not None


def cell_code(community: str, sequence: int) -> str:
    """The code of the cell numbered `sequence` (1 to 999) in a community; raises `BadCode`."""
    if area_level(community) != len(AREA_CODE_LENGTHS) or not 1 <= sequence <= LAST_SEQUENCE:
        raise BadCode(f"{community}-{sequence}", "12 digits and a sequence from 1 to 999")
    return f"{community}{sequence:0{SEQUENCE_DIGITS}d}"


def is_area_code(code: str) -> bool:
    """Whether `code` is 2, 4, 6, 9 or 12 digits."""
    return len(code) in AREA_CODE_LENGTHS and code.isascii() and code.isdigit()


def area_level(code: str) -> int:
    """1 province, 2 city, 3 county or district, 4 street, 5 community; raises `BadCode`."""
    if not is_area_code(code):
        raise BadCode(code, "2, 4, 6, 9 or 12 digits")
    return AREA_CODE_LENGTHS.index(len(code)) + 1


def parent_area_code(code: str) -> str | None:
    """The code one level up, None for a province; raises `BadCode`."""
    level = area_level(code)
    return code[: AREA_CODE_LENGTHS[level - 2]] if level > 1 else None
