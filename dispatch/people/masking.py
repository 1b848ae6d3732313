"""What of a person everybody who sees the case may see, and finding numbers of people in their own words."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

import msgspec

from dispatch.people.phone import mask_phone

Kind = Literal["phone", "id", "card"]

# Two-character surnames (复姓) in use; every other surname is its first character.
_DOUBLE_SURNAMES = frozenset(
    re.findall(
        "..",
        "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐司徒夏侯长孙宇文轩辕端木南宫独孤百里呼延闻人澹台公冶宗政濮阳淳于申屠",
    )
)
_MASK = "****"
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_GROUP = re.compile(r"[0-9]+")
# Ten digits or more with what people put between the groups of one number, brackets of an area code included.
_RUN = re.compile(r"[0-9](?:[ \t\u00a0\u2000-\u200d\u2010-\u2015\u2212\u3000\uff0d()（）-]{0,3}[0-9]){9,}")
_MOBILE = re.compile(r"(?:(?:00)?86)?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(r"(?:0|(?:00)?860?)((?:10|2[0-9]|[3-9][0-9]{2})[2-8][0-9]{6,7})")
_CARD = re.compile(r"[3-6][0-9]{15,18}")
_MOST_DIGITS = 19
# GB 11643: weights of the first 17 digits, and the check character for each remainder of 11.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


class Span(msgspec.Struct, frozen=True):
    """A piece of a text, from `start` up to but not including `end` (characters)."""

    start: int
    end: int
    kind: Kind


def mask_name(name: str) -> str:
    """`张**`: the surname alone, `欧阳**` where it has two characters; nothing for nothing."""
    name = name.strip()
    surname = name[:2] if name[:2] in _DOUBLE_SURNAMES else name[:1]
    return f"{surname}**" if surname else ""


def mask_id(number: str) -> str:
    """An identity number down to its county: the day of birth and everything after it hidden."""
    return number[:6] + "*" * 12


def find_personal(text: str) -> list[Span]:
    """Telephone, identity and bank card numbers in free text, in order, not overlapping.

    Found: mobiles and landlines with area code; identity numbers of 18 characters whose date and check character are
    right (GB 11643); cards of 16 to 19 digits that begin with 3 to 6 and pass Luhn (ISO/IEC 7812-1); digits of any
    script, whole or in groups with up to three spaces, dashes or brackets between. Not found: landlines without area
    code, numbers in words (幺三八), mistyped identity numbers, and digits inside a longer unbroken number. Case and
    receipt numbers (16 digits that begin with the year) stay readable; of other numbers that look like a card's one in
    ten does not.
    """
    if not any(map(str.isdecimal, text)):
        return []
    # Length-preserving, so that positions hold in the text as written.
    plain = _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return [span for run in _runs(plain) for span in _in_run(plain, run)]


def mask_text(text: str, spans: Iterable[Span]) -> str:
    """The text with the pieces of `find_personal` masked; masking what is masked already changes nothing."""
    parts: list[str] = []
    done = 0
    for span in spans:
        parts += (text[done : span.start], _masked(text[span.start : span.end], span.kind))
        done = span.end
    return "".join((*parts, text[done:]))


def _runs(text: str) -> Iterator[list[tuple[int, int]]]:
    """Groups of digits that may belong together, as (start, end)."""
    for candidate in _RUN.finditer(text):
        run: list[tuple[int, int]] = []
        for group in _GROUP.finditer(text, *candidate.span()):
            start, end = group.span()
            # What a mask has left standing joins nothing, else masking twice would hide more than masking once.
            if end - start <= 6 and (text.endswith(_MASK, 0, start) or text.startswith(_MASK, end)):
                yield run
                run = []
            else:
                run.append((start, end))
        yield run


def _in_run(text: str, run: list[tuple[int, int]]) -> Iterator[Span]:
    first = 0
    while first < len(run):
        found = _longest_from(text, run, first)
        if found:
            span, first = found
            yield span
        else:
            first += 1


def _longest_from(text: str, run: list[tuple[int, int]], first: int) -> tuple[Span, int] | None:
    """The longest number that begins with a group, and the group after it."""
    found: tuple[Span, int] | None = None
    digits = ""
    for index in range(first, len(run)):
        start, end = run[index]
        digits += text[start:end]
        if len(digits) > _MOST_DIGITS:
            break
        begin = run[first][0]
        if len(digits) == 17 and text[end : end + 1] in ("X", "x", "Ｘ", "ｘ") and _is_id(digits + "X"):
            return Span(begin, end + 1, "id"), index + 1
        kind = _kind(digits)
        if kind:
            found = Span(begin, end, kind), index + 1
    return found


def _kind(digits: str) -> Kind | None:
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return "phone"
    if _is_id(digits):
        return "id"
    return "card" if _CARD.fullmatch(digits) and _passes_luhn(digits) else None


def _is_id(number: str) -> bool:
    if len(number) != 18 or number[0] not in "123456789":
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return (
        _ID_CHECK[sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False)) % 11]
        == number[17]
    )


def _passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _masked(written: str, kind: Kind) -> str:
    number = "".join(str(unicodedata.decimal(character)) for character in written if character.isdecimal())
    if kind == "id":
        return mask_id(number)
    if kind == "card":
        return _MASK + number[-4:]
    mobile, landline = _MOBILE.fullmatch(number), _LANDLINE.fullmatch(number)
    return mask_phone(mobile[1] if mobile else f"0{landline[1]}" if landline else number)
