"""A Chinese address text taken apart into its elements (地址解析).

Nothing is looked up: what an element is, its own ending says (省 市 区 街道 村 路 号 苑 栋 单元 室). A caller may give the names of
areas that it knows; those are found without their ending too. Whatever ends in nothing known remains as a name.

    江宁区东山街道天景山公寓佳福苑34幢二单元 → district, street, estate, estate, building 34, unit 2
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

KINDS: Final = (
    "province", "city", "district", "street", "community", "road", "number", "estate", "phase", "building", "unit",
    "floor", "room", "gate", "crossing", "offset", "name",
)  # fmt: skip

_PROVINCES: Final = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|"
    "内蒙古|广西|西藏|宁夏|新疆|台湾|香港|澳门"
)
_NUMERAL: Final = "零〇一二三四五六七八九十百两"
_N: Final = rf"(?:[0-9]+|[{_NUMERAL}]+)"
_COUNT: Final = rf"(?:[A-Za-z]{{0,2}}[0-9]+[A-Za-z]?|[A-Za-z]|[{_NUMERAL}]+|[甲乙丙丁])"
_HAN: Final = r"[^\W\d_]"
_SIDE: Final = "[东西南北中]"

# Endings that close a name, by kind; of all that close at one place the first listed wins.
_ENDINGS: Final = (
    ("province", rf"(?:{_PROVINCES})(?:省|(?:壮族|回族|维吾尔)?自治区|特别行政区|(?!市|路|街|大道|{_SIDE}路))"),
    ("province", rf"{_HAN}{{2,5}}?(?:省|自治区)(?!道|委|政府|立|直)"),
    ("city", rf"{_HAN}{{2,7}}?(?:市(?!场|政|民|委|口|区)|自治州|地区|盟(?=市|县|旗))"),
    ("district", rf"{_HAN}{{1,9}}?(?:(?<![小社园业校院舍宅活属片街厂矿组])区(?!域|间|委|政府(?![街路]))|县(?!道|委|政府|医院)|自治旗)"),
    ("street", rf"{_HAN}{{1,8}}?(?:街道办事处|街道办|街道|(?:镇|乡)(?!道|镇|政府|村|中心|卫生)|路?办事处|苏木)"),
    ("community", r"\w{1,8}?(?:社区居委会|社区|居委会|村委会|行政村|自然村|(?<![新])村(?!镇|口))"),
    (
        "road",
        rf"[^\W与]{{1,10}}?(?:大道|大街|公路|路(?!街道|口\w|桥|办事处)|街(?!道|口\w|坊|区|镇|乡|村|办)|巷|弄|胡同|(?<=[省县国乡])道|(?<![街隧铁轨])道(?!教|具|口)|高速|高架|环线)"
        rf"(?:辅路)?(?:{_SIDE}?[{_NUMERAL}0-9]*段)?(?![道])",
    ),
    (
        "estate",
        r"[\w·]{1,14}?(?:小区|花园|家园|新村|新城|公寓|公馆|山庄|别墅|新居|新寓|佳苑|家苑|名苑|雅苑|嘉苑|家属院|宿舍|"
        rf"[苑府庭邸寓园城湾居里坊](?=$|[^\w·]|[0-9A-Za-z]|第?[{_NUMERAL}]+[期区栋幢座号单]|{_SIDE}+[区门苑侧]))",
    ),
    (
        "name",
        r"[\w·]{1,16}?(?:公司|工业区|工业园区?|开发区|科技园|产业园|大厦|大楼|广场|中心|市场|商场|学校|大学|学院|中学|小学|幼儿园|"
        r"医院|酒店|宾馆|银行|超市|地铁站|车站)",
    ),
)  # fmt: skip
_CLOSED: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _ENDINGS)

# What begins with a count or a direction and is an element by itself.
_COUNTED: Final = (
    ("unit", rf"{_COUNT}(?:单元|单(?=$|\d)|梯)"),
    ("building", rf"{_COUNT}(?:-[0-9]+)?(?:栋|幢|座|号楼|#楼?)|{_SIDE}[楼座](?!\w)"),
    ("floor", rf"(?:地下|负|B|-)?{_N}(?:楼|层|F(?![A-Za-z]))|底楼|底层|顶楼"),
    ("room", rf"{_COUNT}(?:-[0-9A-Za-z]+)*(?:室|房(?!产)|号房|号铺|号商铺)"),
    ("phase", rf"第?{_COUNT}(?:期|区|组团|街坊|标段)"),
    ("phase", rf"{_SIDE}{{1,2}}[区苑院](?!\w*政府)"),
    ("gate", rf"{_SIDE}{{1,3}}{_N}?门(?!\w)|{_N}号?门(?!面|诊|店|市|窗)|正门(?!\w)"),
    (
        "number",
        rf"(?:[甲乙丙丁附临新]|[A-Za-z]{{1,2}})?{_N}(?:[-、.之][0-9A-Za-z]+)*[甲乙丙丁A-Za-z]?(?:号院?(?!线|店|口|桥|码)|弄)",
    ),
    (
        "offset",
        rf"(?:距|往|向|朝)?{_SIDE}{{0,2}}[侧边面]?(?:约|近)?{_N}(?:余|多)?(?:米|公里|千米|里)处?(?:路{_SIDE}{{1,2}}侧?)?",
    ),
    (
        "offset",
        rf"附近|旁边?|对面|斜对面|正对面|隔壁|门口|路口|{_SIDE}{{1,2}}[侧边面]|[前后]面|(?:以|往|向){_SIDE}(?:方向)?",
    ),
)
_SELF: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _COUNTED)
# Where a name without an ending stops: before such an element that has its own unit.
_STOP: Final = re.compile(
    rf"{_COUNT}(?:-[0-9A-Za-z]+)*(?:栋|幢|座|号|单元|楼|层|室|期|区|弄)|附近|对面|旁|{_SIDE}{{0,2}}{_N}米|门口|{_SIDE}+[门侧]|[^\w·]"
)
_JOINED: Final = re.compile(r"[与和、/&跟同]|及")
_MEETING: Final = re.compile(
    r"(?:的)?(?:十字|丁字|三岔|T字|交叉|交汇|交会|交界|交接|相交|交)(?:路)?(?:口|处)?|路口|口(?!\w)"
)
_BARE: Final = re.compile(r"[0-9]+(?:[-.、][0-9A-Za-z]+)*[A-Za-z]?")
_GAP: Final = re.compile(r"[^\w·#]+|[·#_]")
_DIGITS: Final = {sign: place for place, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SPACE: Final = re.compile(r"\s+(?![A-Za-z0-9])|(?<![A-Za-z0-9])\s+")
_DASH: Final = re.compile(r"[‐‑‒–—―−－﹣]|(?<=[0-9])[一~～](?=[0-9])")


@dataclass(frozen=True, slots=True)
class Element:
    """One part of an address: `text` stands in the address's text from `start`; `value` is what is compared.

    The value is without ending and in plain digits where it counts something (三栋 → 3), else the text itself in lower case.
    """

    kind: str
    text: str
    start: int
    value: str

    @property
    def end(self) -> int:
        """The place after the last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Address:
    """The normalised text and its elements in their order. The roads of a crossing stand as roads, the crossing after them."""

    text: str
    elements: tuple[Element, ...]

    def of(self, kind: str) -> tuple[Element, ...]:
        """The elements of one of KINDS."""
        return tuple(each for each in self.elements if each.kind == kind)

    def first(self, kind: str) -> str | None:
        """The value of the first element of a kind, None where there is none."""
        return next((each.value for each in self.elements if each.kind == kind), None)

    @property
    def crossing(self) -> tuple[str, str] | None:
        """The two roads of the first crossing (A路与B路交叉口, A路B路口, A路/B路), else None."""
        for place in range(1, len(self.elements)):
            one, other = self.elements[place - 1 : place + 1]
            if one.kind == other.kind == "road":
                after = self.elements[place + 1] if place + 1 < len(self.elements) else None
                met = after is not None and after.kind == "crossing"
                if met or _JOINED.fullmatch(self.text, one.end, other.start):
                    return one.value, other.value
        return None


def normalised(text: str) -> str:
    """Half width, one kind of dash, no blanks but between Latin words."""
    plain = unicodedata.normalize("NFKC", text)
    return _SPACE.sub("", _DASH.sub("-", plain)).strip()


def parse(text: str, known: Iterable[str] = ()) -> Address:
    """The elements of any text. `known` are names of areas with their ending, found without it too. Never fails."""
    whole = normalised(text)
    names = _stems(known)
    found: list[Element] = []
    place = 0
    while place < len(whole):
        gap = _GAP.match(whole, place)
        if gap:
            place = gap.end()
            continue
        element = _crossing(whole, place, found) or _known(whole, place, names, found)
        element = element or _counted(whole, place, found) or _closed(whole, place, found)
        found.append(element)
        place = element.end
    return Address(whole, tuple(found))


def number(text: str) -> str:
    """Chinese numerals and leading zeros as plain digits (二十一 → 21, 02 → 2); what counts nothing stays, in lower case."""
    if text and all(sign in _NUMERAL for sign in text):
        return str(_numeral(text))
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", text.lower())


def _numeral(text: str) -> int:
    if not any(sign in "十百" for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total = held = 0
    for sign in text:
        if sign in "十百":
            total += max(held, 1) * (10 if sign == "十" else 100)
            held = 0
        else:
            held = _DIGITS[sign]
    return total + held


def _stems(known: Iterable[str]) -> dict[str, str]:
    """Names of areas with and without their ending, to their kind."""
    found = {}
    for name in known:
        kind = _area_kind(name)
        found[name] = kind
        stem = re.sub(r"(?:省|市|区|县|街道办事处|街道|镇|乡|社区|村)$", "", name)
        if len(stem) >= 2:
            found.setdefault(stem, kind)
    return found


def _area_kind(name: str) -> str:
    for kind, ends in (
        ("province", ("省", "自治区")),
        ("city", ("市", "州", "盟")),
        ("street", ("街道", "镇", "乡", "办事处")),
        ("community", ("社区", "村", "居委会", "村委会")),
    ):
        if name.endswith(ends):
            return kind
    return "district"


def _known(whole: str, place: int, names: dict[str, str], found: Sequence[Element]) -> Element | None:
    if not names or (found and found[-1].kind not in KINDS[:5]):
        return None
    for size in range(min(12, len(whole) - place), 1, -1):
        name = whole[place : place + size]
        # A road may be called after an area.
        if name in names and not re.match(r"[东西南北中]?[大一二三四五]?[路街道]", whole[place + size :]):
            return Element(names[name], name, place, name.lower())
    return None


def _crossing(whole: str, place: int, found: Sequence[Element]) -> Element | None:
    """What says that the two roads before it meet."""
    roads = [each for each in found[-2:] if each.kind == "road"]
    if len(roads) < 2 or place - roads[1].end > 1 or roads[1].start - roads[0].end > 1:
        return None
    meeting = _MEETING.match(whole, place)
    return Element("crossing", meeting[0], place, meeting[0]) if meeting and meeting[0] else None


def _counted(whole: str, place: int, found: Sequence[Element]) -> Element | None:
    within = bool(found) and found[-1].kind not in KINDS[:4]
    for kind, pattern in _SELF:
        hit = pattern.match(whole, place)
        # A town may be called after a side (南苑街道): only within a place does it tell a part.
        if hit and (within or kind != "phase"):
            return Element(kind, hit[0], place, _value(hit[0]))
    bare = _BARE.match(whole, place)
    if bare and found and found[-1].kind in ("road", "crossing", "building", "unit", "floor", "number", "phase"):
        kind = "number" if found[-1].kind in ("road", "crossing") else "room"
        return Element(kind, bare[0], place, number(bare[0]))
    return None


def _value(text: str) -> str:
    """The count without its unit."""
    bare = re.sub(
        r"(?:号院|号楼|号铺|号商铺|号房|号门|单元|街坊|组团|标段|栋|幢|座|楼|层|室|房|期|区|弄|号|梯|单|门|#楼?)$",
        "",
        text,
    )
    bare = re.sub(r"^第|号$", "", bare)
    return number(bare) if bare else text.lower()


def _closed(whole: str, place: int, found: Sequence[Element]) -> Element:
    """The name that closes first; without an ending, what stands before the next counted element."""
    joined = _JOINED.match(whole, place)
    start = joined.end() if joined and found and found[-1].kind == "road" and joined.end() < len(whole) else place
    head = not found or found[-1].kind in KINDS[:5]
    stop = _STOP.search(whole, start + 1)
    limit = stop.start() if stop else len(whole)
    best: Element | None = None
    for kind, pattern in _CLOSED:
        if not head and kind in ("province", "city", "district"):
            continue
        hit = pattern.match(whole, start)
        if hit and (best is None or hit.end() < best.end):
            best = Element(kind, hit[0], start, hit[0].lower())
    if best is not None and (best.end <= limit or best.kind in ("road", "community", "street")):
        return best
    return Element("name", whole[start:limit], start, whole[start:limit].lower())
