"""What is taken out of a city's texts before anything is learned from them: numbers of people as intake masks them, and names.

A name (姓名) is a word of two or three characters that begins with a surname, stands in no dictionary, and reads as a name.
"""

import logging
from collections.abc import Sequence
from typing import Final

from dispatch.people.masking import find_personal, mask_text

SIGN: Final = "#"
# Surnames of nine people in ten.
_SURNAMES: Final = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯"
    "邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文肖付聂鲁倪殷莫骆柯柳甘欧阮岳庞詹符童梅尤葛毕关穆苗邢管翟凌霍温耿牛芦游路辜"
)


def masked(text: str) -> str:
    """Without the numbers of people: telephone, identity, bank card."""
    return mask_text(text, find_personal(text))


def stripped(texts: Sequence[str]) -> list[str]:
    """Without numbers and names of people; one sign stands for a name."""
    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.ERROR)
    words = [jieba.lcut(masked(text)) for text in texts]
    known = jieba.dt.FREQ
    asked = {w for each in words for w in each if 2 <= len(w) <= 3 and w[0] in _SURNAMES and not known.get(w)}
    names = {w for w in asked if [part.flag for part in jieba.posseg.lcut(w)] == ["nr"]}
    return ["".join(SIGN if word in names else word for word in each) for each in words]
