"""What matching reads from a title and a text: their runs of characters, the named things in them, whether somebody asks."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from dispatch.intake.rarity import Keys, distinct, runs, runs_of_each

# Named things are looked for in the title and so many characters of the text.
BEGINNING: Final = 200
LONGEST: Final = 8
# A title is so long at most, and of a text so much is compared.
TITLE: Final = 60
MOST: Final = 2_000
RUN_BYTES: Final = 4
# By so many runs a case can be found again.
WAYS: Final = 64
# How names of places, buildings, bodies and lines end.
ENDINGS: Final = (
    "有限公司", "幼儿园", "停车场", "派出所", "地铁站", "小区", "社区", "街道", "大道", "公司", "大学", "学院", "中学", "小学", "学校",
    "医院", "广场", "花园", "公馆", "公寓", "家园", "新村", "新城", "国际", "中心", "大厦", "市场", "路口", "公园", "园区", "号线", "楼盘",
    "工地", "酒店", "宾馆", "法院", "银行", "项目", "车行", "旅馆", "会所", "食堂", "天地", "时代", "之城", "村", "镇", "路", "街", "巷", "桥",
    "站", "园", "苑", "府", "城", "湾", "组", "湖", "山", "贷", "网", "栋", "庭", "庄", "里",
)  # fmt: skip
# Endings without which a name of one or two characters is no name (`左路`).
SHORT: Final = ("路", "桥", "湖", "山", "村", "镇", "园", "苑", "府", "城", "湾")
_ONE = "|".join(sorted(ENDINGS, key=len, reverse=True))
_ENDING = re.compile(_ONE)
_AT_END = re.compile(f"(?:{_ONE})$")
# Provinces, cities and districts say nothing about which place it is; letters stand for names that were taken out.
_ADMINISTRATIVE = re.compile(r"[一-鿿]{2,3}省|[a-z]\d*市|[a-z]\d+[区县]|县市|市政府|区政府|[省市]")
# What stands before a name and is not part of it.
_BEFORE = re.compile(
    "^(?:投诉|反映|反应|举报|请问|问问|咨询|关于|建议|希望|恳请|请求|请|要求|对|在|位于|我们|我是|我|就|给|求|严惩|反对|呼吁|尊敬的|您好|领导|为何|"
    "为什么|现在|目前|附近|旁边|的|和|与|及|由|到|至|从|因|是|有|把|被|让|将|这个|该|本|个|了|去|家|住|不|大|小|新|老|修|建|强烈|再次|谁|何时|什么)+"
)
_ASKING = re.compile("咨询|请问|问问|能否|是否|可否|如何|什么时候")
_NO_WORD = re.compile(r"[\W_]+")


def spaced(text: str) -> str:
    """A text made comparable (`NFKC`, lower case), with one space for whatever stands between words."""
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


class Words(msgspec.Struct, frozen=True, array_like=True):
    """A title and text as they are compared: their runs by number, never their characters.

    The runs of a title stand in its order, those of both together are distinct and ascending; of a name there are its runs of two and
    its longest ones (of three, where it has any). Names are without their endings: `荷花池` for `荷花池公园`.
    """

    title_twos: bytes
    title_threes: bytes
    twos: bytes
    threes: bytes
    names: tuple[tuple[bytes, bytes], ...]
    asks: bool

    @property
    def runs(self) -> tuple[Keys, Keys]:
        """The distinct runs of two and of three."""
        return keys_of(self.twos), keys_of(self.threes)

    @property
    def ways(self) -> Keys:
        """The runs of title and names, each once: by these the case is found again."""
        return distinct(keys_of(b"".join((self.title_threes, *(whole for _, whole in self.names)))))[:WAYS]


_coded = msgspec.msgpack.Encoder()
_decoded = msgspec.msgpack.Decoder(Words)


def packed(said: Words) -> bytes:
    """Words as they are kept beside a case."""
    return _coded.encode(said)


def unpacked(data: bytes) -> Words:
    """What `packed` made. Raises msgspec.DecodeError for anything else."""
    return _decoded.decode(data)


def keys_of(data: bytes) -> Keys:
    """Runs as an array."""
    return np.frombuffer(data, np.uint32)


def words(title: str, text: str) -> Words:
    """Reads a title and a text. Where there is no title the text's first sentence stands for it."""
    title = spaced(title) or spaced(re.split("[。！？!?\n]", text.strip(), maxsplit=1)[0])
    text = spaced(text[:MOST])
    title = title[:TITLE]
    twos, threes = runs(f"{title} {text}")
    return Words(
        twos[: max(0, len(title) - 1)].tobytes(), threes[: max(0, len(title) - 2)].tobytes(), distinct(twos).tobytes(),
        distinct(threes).tobytes(), tuple(_names(f"{title} {text[:BEGINNING]}")), _ASKING.search(title) is not None,
    )  # fmt: skip


def _names(plain: str) -> Iterator[tuple[bytes, bytes]]:
    for twos, threes in runs_of_each(sorted(named(plain))):
        yield twos.tobytes(), (threes if len(threes) else twos).tobytes()


def named(plain: str) -> frozenset[str]:
    """The places, buildings, bodies and lines that a plain text names, by what is their own in the name."""
    found = set()
    for stretch in _ADMINISTRATIVE.sub(" ", plain).split():
        behind = 0
        for ending in _ENDING.finditer(stretch):
            name = _BEFORE.sub("", stretch[behind : ending.end()])[-LONGEST:]
            behind = ending.end()
            own = len(name) - len(ending.group())
            if own >= 2 or (own == 1 and ending.group() in SHORT):
                found.add(_own(name))
    return frozenset(found)


def _own(name: str) -> str:
    shorter = _AT_END.sub("", name)
    return shorter if len(shorter) >= 2 else name
