"""Changing words for one matter: openers, places, troubles, consequences, wishes, typing errors."""

from random import Random
from typing import Final

from connectors.generator.matters import Matter

OPENERS: Final = (
    "",
    "",
    "你好，",
    "您好，我要反映一个问题：",
    "反映一下，",
    "市民来电：",
    "我是附近居民，",
    "麻烦登记一下，",
    "热线你好，",
)
AGAIN: Final = (
    "再次反映，",
    "前几天打过电话，",
    "又来反映了，",
    "上次说的事还没解决，",
    "催一下，",
    "这个问题至今没人管，",
    "第{k}次打电话了，",
    "之前的工单说已办结，其实根本没弄，",
)
CLOSERS: Final = ("", "", "", "谢谢。", "请回电。", "盼复。", "急！", "麻烦了。", "拜托。")
NUMBER_CLOSERS: Final = (
    "我的电话{phone}。",
    "联系{phone}。",
    "打{phone}找我。",
    "回电请打{phone}，",
    "家人手机是{phone}。",
)
TIMES: Final = ("昨晚", "今天早上", "半夜", "凌晨两点", "傍晚", "晚上十一点", "中午", "天黑以后", "周末")
SLIPS: Final = (
    ("的", "得"),
    ("在", "再"),
    ("已经", "以经"),
    ("坐", "座"),
    ("做", "作"),
    ("帮忙", "邦忙"),
    ("，", ""),
    ("。", ""),
)


def tell(rng: Random, matter: Matter, calls: int, phone: str | None) -> str:
    """One report of the matter. `calls` says which call of this caller it is, from 1; `phone` is worked in if given."""
    opener = rng.choice(OPENERS) if calls < 2 else rng.choice(AGAIN).format(k=calls)
    closer = rng.choice(CLOSERS) if phone is None else rng.choice(NUMBER_CLOSERS).format(phone=phone)
    family = matter.family
    what, harm, want = (_filled(rng, rng.choice(part), matter) for part in (family.what, family.harm, family.want))
    where = _where(rng, matter)
    if not where:
        order = rng.choice((f"{what}，{harm}。{want}。", f"{what}。{want}，{harm}。", f"{harm}，{what}，{want}。"))
    else:
        order = rng.choice(
            (
                f"{where}，{what}，{harm}。{want}。",
                f"{where}{what}。{want}。",
                f"{what}，位置是{where}。{harm}，{want}。",
                f"{where}这边{what}，{harm}！{want}。",
                f"{harm}。就是{where}，{what}，{want}。",
            )
        )
    text = opener + order + closer
    return _slipped(rng, text) if rng.random() < 0.12 else text


def note(rng: Random, matter: Matter) -> str:
    """The short note of a patrol."""
    return f"巡查发现{_where(rng, matter)}{_filled(rng, rng.choice(matter.family.what), matter)}"


def heading(rng: Random, matter: Matter) -> str:
    """A title as an operator writes it."""
    where = "" if matter.family.where == "none" else matter.place.estate or matter.place.road
    return f"{where}{matter.thing or matter.party or '有关'}问题"


def address(matter: Matter) -> str:
    """The full address; a crossing has no house number."""
    place = matter.place
    if not place.estate:
        return f"{place.street}{place.road}"
    return f"{place.street}{place.community}{place.road}{place.estate}{matter.spot}"


def _where(rng: Random, matter: Matter) -> str:
    place = matter.place
    if matter.family.where == "none":
        return ""
    if not place.estate:
        return rng.choice(
            (place.road, place.road.replace("与", "和").replace("交叉口", "路口"), place.street + place.road)
        )
    if matter.family.where == "estate":
        return rng.choice(
            (
                f"{place.estate}{matter.spot}",
                f"{place.community}{place.estate}",
                f"{place.street}{place.estate}{matter.spot}",
                f"{place.estate}{matter.spot}附近",
            )
        )
    return rng.choice(
        (
            f"{place.road}{place.estate}门口",
            f"{place.estate}外面的{place.road}",
            f"{place.road}靠近{place.estate}",
            place.road,
        )
    )


def _filled(rng: Random, phrase: str, matter: Matter) -> str:
    return phrase.format(o=matter.thing, p=matter.party, n=rng.randint(2, 9), t=rng.choice(TIMES))


def _slipped(rng: Random, text: str) -> str:
    fitting = [slip for slip in SLIPS if slip[0] in text]
    if not fitting:
        return text
    right, wrong = rng.choice(fitting)
    return text.replace(right, wrong, 1)
