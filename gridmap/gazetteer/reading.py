"""What a text says of a place: its roads with their numbers, its parts where it is a list, how far off it lies.

Texts are compared plain: one form of full- and half-width characters, lower case, no white space, numerals before 号 and 弄 as digits.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gridmap.addresses import Address, Element, parse

_BRACKETS = str.maketrans("〔〕【】「」『』〈〉《》﹙﹚號衖", "()()()()()()()号弄")
_DIGITS: Final = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_TENS: Final = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百千]+(?=[号弄])")
_ENDING: Final = "公路|大道|大街|支路|路|街|巷|弄|道|浜|大堤"
# What is no road, whatever stands before it; `12路` is a line.
_NO_ROAD = re.compile(f"(?:[东南西北中大小新老支前后]|[一二三四五六七八九十]{{1,3}})?(?:{_ENDING})|.*\\d路")
_QUARTER = re.compile(f"[东南西北中支](?=(?:{_ENDING})$)")
_NUMBER = re.compile(r"第?(\d{1,5})(?!\d|米|\.\d|路|公里|k?m)")
_OFFSET = re.compile(r"(东南|东北|西南|西北|[东南西北])\D*(\d{1,4})米")
# Between the corner that is named and the words `交叉口` etc. nothing else need stand.
_CROSSING = re.compile("交叉|路口|交接|交汇|交界|相交|交口")
# After these a road may begin.
_ENDED = re.compile("(?:街道|[镇乡区市村县号弄里城园场楼与和近至到及在于从侧旁口路])$")
_AROUND = re.compile("(?:附近|旁边?|对面|院内|内|门口|[东南西北]+侧)$")
_KIND = re.compile(r"\((?:公交站|地铁站)\)$")
_LISTED = re.compile("[;|]+")
# Numbers and what is said with them stand in any address.
_FILLING = re.compile(
    r"(?:第|甲|乙|之)?[\d-]+(?:号楼|支弄|[号弄楼层室幢栋座米f])?|交叉路?口|[东南西北]+侧|[();|-]|附近"
)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[^\w;|()]+(?=\d)")
_NO_WORD = re.compile(r"[^\w;|()-]+|_+|(?<!\d)-|-(?!\d)")
_EAST_NORTH: Final = {"东": (1, 0), "南": (0, -1), "西": (-1, 0), "北": (0, 1)}


@dataclass(frozen=True, slots=True)
class Road:
    """A road as it is named, with the house or lane number that follows it."""

    name: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says. `parts` are those of a list (`12路;15路`), else the whole; `offset` is metres east and north."""

    plain: str
    key: str
    parts: tuple[str, ...]
    roads: tuple[Road, ...]
    towns: frozenset[str]
    crossing: bool
    offset: tuple[float, float] | None


def plain(text: str) -> str:
    """A text made comparable; brackets, `;` between parts and `-` between numbers stay."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_BRACKETS)
    folded = _NO_WORD.sub("", _BETWEEN_DIGITS.sub("-", folded))
    return _NUMERAL.sub(lambda found: str(_value(found.group())), folded)


def key_of(plain_text: str) -> str:
    """A name or address without what is added to it by habit: `附近`, `(公交站)`."""
    return _AROUND.sub("", _KIND.sub("", plain_text))


def parts_of(plain_text: str) -> tuple[str, ...]:
    """The parts of a list (`12路;15路`); of what is none, the whole."""
    return tuple(part for part in _LISTED.split(plain_text) if part)


def parsed(plain_text: str) -> Address:
    """The elements of a plain text; a list has none."""
    return parse(plain_text) if len(parts_of(plain_text)) < 2 else Address(plain_text, ())


def read(address: Address, known: Mapping[str, str]) -> Said:
    """Reads what was parsed; `known` gives for a road as it is met the name under which it is kept."""
    whole = address.text
    far = next((found for found in map(_offset, address.elements) if found), None)
    towns = frozenset(element.value for element in address.elements if element.kind == "street")
    roads = tuple(_roads(address, known))
    crossing = len(roads) > 1 and (_CROSSING.search(whole) is not None or _adjoining(address))
    return Said(whole, key_of(whole), parts_of(whole), roads, towns, crossing, far)


def known_roads(addresses: Iterable[Address]) -> dict[str, str]:
    """The roads that are named, each with the name under which it is kept: itself, or the end of it that is far more frequent."""
    counts = Counter(each.text for address in addresses for each in address.elements if each.kind == "road")
    return {name: _frequent_end(name, counts) for name in counts if not _NO_ROAD.fullmatch(name)}


def trunk(road: str) -> str:
    """A road without the quarter of the sky in its name: 淮海路 for 淮海中路."""
    return _QUARTER.sub("", road)


def runs(plain_text: str) -> set[str]:
    """Runs of one, two and three characters of what stands between numbers and brackets."""
    return {
        part[start : start + size]
        for part in _FILLING.split(plain_text)
        for size in (1, 2, 3)
        for start in range(len(part) - size + 1)
    }


def _roads(address: Address, known: Mapping[str, str]) -> Iterable[Road]:
    for element in address.elements:
        if element.kind == "road":
            name = _named(element.text, known)
            if not _NO_ROAD.fullmatch(name):
                number = _NUMBER.match(address.text, element.start + len(element.text))
                yield Road(name, int(number.group(1)) if number else None)


def _adjoining(address: Address) -> bool:
    """Whether one road stands right behind another, as in the names of stops."""
    there = address.elements
    return any(one.kind == other.kind == "road" and one.end == other.start for one, other in pairwise(there))


def _named(met: str, known: Mapping[str, str]) -> str:
    """The longest known road at the end of what was met, where one may begin there."""
    for start in range(len(met) - 1):
        if met[start:] in known and (not start or (start > 1 and len(met) - start > 2) or _ENDED.search(met[:start])):
            return known[met[start:]]
    return met


def _frequent_end(name: str, counts: Counter[str]) -> str:
    for start in range(1, len(name) - 2):
        if counts[name[start:]] > 3 * counts[name] + 2 and not _NO_ROAD.fullmatch(name[start:]):
            return name[start:]
    return name


def _offset(element: Element) -> tuple[float, float] | None:
    """Metres east and north, where a quarter of the sky and a distance are named."""
    found = _OFFSET.search(element.text) if element.kind == "offset" else None
    if found is None:
        return None
    ways = [_EAST_NORTH[quarter] for quarter in found.group(1)]
    length = int(found.group(2)) / len(ways) ** 0.5
    return length * sum(east for east, _ in ways), length * sum(north for _, north in ways)


def _value(numeral: str) -> int:
    """The value of a Chinese numeral; digit by digit where it names no tens (`一二三` is 123)."""
    if not any(sign in _TENS for sign in numeral):
        return int("".join(str(_DIGITS[sign]) for sign in numeral))
    total, digit = 0, 0
    for sign in numeral:
        if sign in _TENS:
            total, digit = total + (digit or 1) * _TENS[sign], 0
        else:
            digit = _DIGITS[sign]
    return total + digit
