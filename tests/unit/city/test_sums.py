"""Differences of price in people's words, in yuan."""

import pytest

from dispatch.city.sums import differences


@pytest.mark.parametrize(
    ("said", "yuan"),
    [
        ("价格高0.1元", 0.1),
        ("比别家贵了两毛", 0.2),
        ("多收我五块钱", 5.0),
        ("1元5角的差价", 1.5),
        ("贵一块五", 1.5),
        ("涨了十二元", 12.0),
        ("高出两毛五分", 0.25),
        ("差了一分钱", 0.01),
        ("高一点五元", 1.5),
        ("贵了半块钱", 0.5),
        ("贵几毛", 0.9),
        ("贵几十元", 90.0),
        ("贵了5元一斤", 5.0),
        ("多收了一百二十元", 120.0),
        ("多收1,200元", 1_200.0),
        ("贵了1万元", 10_000.0),
        ("贵了三万五千元", 35_000.0),
    ],
)
def test_a_difference_of_price_is_read_in_yuan(said: str, yuan: float) -> None:
    assert [found for found, _, _ in differences(f"某店{said}，请管")] == [yuan]


@pytest.mark.parametrize(
    "said", ["地势高一块地", "考试高3分", "多收我三分钟", "每斤5元", "贵了一些", "元旦涨价", "差一角落"]
)
def test_what_is_no_difference_of_price_is_not_read_as_one(said: str) -> None:
    assert differences(said) == []


def test_all_differences_of_a_text_are_found_where_they_stand() -> None:
    text = "一次高1元，后来多收3000块钱"
    assert [(yuan, text[start:end]) for yuan, start, end in differences(text)] == [
        (1.0, "高1元"),
        (3000.0, "多收3000块钱"),
    ]
