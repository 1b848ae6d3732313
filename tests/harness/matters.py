"""Made-up messages about made-up matters: each told twice, each with others like it elsewhere."""

from typing import Final, NamedTuple

from dispatch.learning.pairs import Pair

PLACES: Final = (
    "槐荫家园", "白鹭苑", "紫金公馆", "望江花园", "青石巷", "柳岸新村", "麓山里", "云溪府", "梧桐里", "松涛苑", "碧波花园", "桂香新城",
    "银杏公寓", "丹霞小区", "映月湾", "听雨阁小区", "锦绣园", "朝晖新村", "翠屏苑", "竹影巷",
)  # fmt: skip
MATTERS: Final = (
    "电梯停运",
    "油烟直排",
    "夜间施工噪音",
    "垃圾堆积",
    "路灯不亮",
    "污水外溢",
    "暖气不热",
    "消防通道被堵",
)


class Message(NamedTuple):
    """What somebody wrote."""

    title: str
    text: str


def messages() -> dict[str, Message]:
    """Two messages about each matter in each place, in other words."""
    found = {}
    for place in PLACES:
        for matter in MATTERS:
            found[f"{place}{matter}1"] = Message(
                f"反映{place}{matter}的问题", f"我是{place}业主，{matter}已经一个月了，大家都受不了，请尽快处理。"
            )
            found[f"{place}{matter}2"] = Message(
                f"{place}{matter}无人管", f"多次投诉{matter}，{place}物业一直不理，望领导重视。"
            )
    return found


def pairs() -> list[Pair]:
    """Pairs of these with what people would judge; every two neighbouring places are one affair of each matter."""
    found = []
    for n, place in enumerate(PLACES):
        other = PLACES[n ^ 1]
        for matter in MATTERS:
            found.append(Pair(f"{place}{matter}1", f"{place}{matter}2", "same"))
        for one, two in zip(MATTERS[::2], MATTERS[1::2], strict=True):
            found.append(Pair(f"{place}{one}1", f"{other}{one}1", "topic"))
            found.append(Pair(f"{place}{one}1", f"{place}{two}2", "facet"))
            found.append(Pair(f"{place}{one}2", f"{other}{two}2", "diff"))
    return found
