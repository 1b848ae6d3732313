"""Differences of price as people say them (`高0.1元`, `贵了两毛`, `多收五块钱`, `1元5角的差价`), in yuan."""

import re
from typing import Final

_DIGITS: Final = {
    "零": 0.0, "〇": 0.0, "半": 0.5, "一": 1.0, "二": 2.0, "两": 2.0, "三": 3.0, "四": 4.0, "五": 5.0, "六": 6.0, "七": 7.0, "八": 8.0,
    "九": 9.0, "几": 9.0,  # some: as many as they may be
}  # fmt: skip
_TENS: Final = {"十": 10.0, "百": 100.0, "千": 1_000.0, "万": 10_000.0, "亿": 100_000_000.0}
_UNITS: Final = {"元": 1.0, "块": 1.0, "角": 0.1, "毛": 0.1, "分": 0.01}
_NUMBER: Final = r"(?:\d[\d,]*(?:\.\d+)?|[零〇半一二两三四五六七八九几]|十)[零〇半一二两三四五六七八九几十百千万亿]*(?:点[零一二三四五六七八九]+)?"
# 分 alone is also a point or a minute: it is money after 元 or 角, or as 分钱; 块 and 毛 begin other words too.
_SUM: Final = (
    rf"(?P<first>{_NUMBER})(?P<unit>元(?![旦素])|块(?![地砖板石牌田空玻木铁肉区])|角(?![落度色])|毛(?![病巾坯衣])|分(?=钱))(?:钱|人民币)?"
    r"(?:(?P<second>[\d一二两三四五六七八九半])(?:(?P<below>[角毛分])钱?|钱|(?=$|[\W的])))?"
)
_MORE: Final = "高|贵|涨|多收|多付|多要|多算|多扣|少找|少退|相差|差价|价差|差"
_AFTER = re.compile(rf"(?:{_MORE})(?:出|了|我|他|价|是|为|约|近){{0,3}}{_SUM}")
_BEFORE = re.compile(rf"{_SUM}的?(?:差价|价差)")


def differences(plain: str) -> list[tuple[float, int, int]]:
    """Every difference of price in a normalised text, in yuan, with where it stands, from and up to a character."""
    found = {match.span(): match for pattern in (_AFTER, _BEFORE) for match in pattern.finditer(plain)}
    return [(_yuan(match), *span) for span, match in sorted(found.items())]


def _yuan(match: re.Match[str]) -> float:
    unit = _UNITS[match["unit"]]
    whole = _number(match["first"]) * unit
    if match["second"] is None:
        return round(whole, 4)
    # 一块五: what follows without a unit is a tenth.
    return round(whole + _number(match["second"]) * (_UNITS[match["below"]] if match["below"] else unit / 10), 4)


def _number(text: str) -> float:
    digits = re.match(r"[\d,]+(?:\.\d+)?", text)
    if digits:
        value = float(digits[0].replace(",", ""))
        for sign in text[digits.end() :]:
            value *= _TENS.get(sign, 1.0)
        return value
    whole, _, tenths = text.partition("点")
    return _spoken(whole) + (float("0." + "".join(str(int(_DIGITS[sign])) for sign in tenths)) if tenths else 0.0)


def _spoken(text: str) -> float:
    """A number in words: each digit counts as what follows it says, a ten alone as ten; above ten thousand in two parts."""
    total, part, digit = 0.0, 0.0, 0.0
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif _TENS[sign] >= _TENS["万"]:
            total, part, digit = total + ((part + digit) or 1.0) * _TENS[sign], 0.0, 0.0
        else:
            part, digit = part + (digit or 1.0) * _TENS[sign], 0.0
    return total + part + digit
