"""How messages are compared, as it is kept and as it comes with the service."""

import numpy as np
import pytest

from dispatch.intake.alike import alike
from dispatch.intake.packing import BadModel, pack
from dispatch.intake.texts import packed, shipped, unpacked
from dispatch.intake.weighed import Weighed
from dispatch.intake.words import words

ONE = words("银杏公寓电梯停运", "银杏公寓三单元电梯停运一个星期，老人下不了楼")
OTHER = words("电梯坏了没人修", "我住银杏公寓，电梯停运好几天，物业不管")


def test_what_was_kept_judges_as_before_and_the_same_has_the_same_version() -> None:
    before, after = shipped(), unpacked(packed(shipped()))
    told = [alike(Weighed(ONE, each.rarity), Weighed(OTHER, each.rarity), each) for each in (before, after)]
    assert told[0] is not None
    assert told[0] == told[1]
    assert after.version == unpacked(packed(after)).version != before.version


@pytest.mark.parametrize(
    "data", [b"", b"nothing", pack({"pairs": {}}, {}), pack({"texts": 1}, {"keys": np.zeros(1, np.uint32)})]
)
def test_bytes_that_are_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(BadModel):
        unpacked(data)


def test_what_comes_with_the_service_believes_copies_and_no_strangers() -> None:
    texts = shipped()
    copies, strangers = (
        alike(Weighed(ONE, texts.rarity), Weighed(each, texts.rarity), texts)
        for each in (ONE, words("学校门口早餐摊占道", "每天早上学校门口摆摊卖早餐，占了人行道"))
    )
    assert copies is not None
    assert strangers is not None
    assert copies.belief >= texts.pairs.sure > 0.5 > strangers.belief
    assert copies.label == "same"


def test_too_few_words_are_compared_with_nothing() -> None:
    texts = shipped()
    assert alike(Weighed(words("", "你好"), texts.rarity), Weighed(ONE, texts.rarity), texts) is None
