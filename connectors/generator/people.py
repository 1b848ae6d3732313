"""Invented callers and firms. The callers' numbers all lie in one range kept for tests."""

from dataclasses import dataclass
from random import Random
from typing import Final

# 199000xxxxx has the form of a Chinese mobile number; generated callers use this range and no other, so that whoever
# finds such a number knows it is invented. No message is ever to be sent to it.
TEST_PHONES: Final = "199000"
SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN: Final = "安宁子涵思远欣悦明轩雨桐佳怡志强海燕春梅国栋晓峰丽华建平小雪文博静雅俊杰秋月"
PARTY_FIRST: Final = ["云岚", "青穗", "星沐", "澄野", "禾汀", "朗汐", "松屿", "知白", "月浦", "棠溪", "千帆", "木犀"]
PARTY_SECOND: Final = ("", "联合", "新程", "优品", "大")
TITLES: Final = ("女士", "先生")


@dataclass(frozen=True, slots=True)
class Person:
    """A caller; `phone` is a national mobile number of the test range."""

    name: str
    phone: str


def person(rng: Random) -> Person:
    """A new caller: 陈女士, or a full name of a surname and one or two characters."""
    surname = rng.choice(SURNAMES)
    titled = rng.random() < 0.6
    name = surname + (rng.choice(TITLES) if titled else "".join(rng.sample(GIVEN, rng.choice((1, 2)))))
    return Person(name, f"{TEST_PHONES}{rng.randrange(100_000):05d}")


def party_name(rng: Random, ending: str) -> str:
    """An invented firm of the given trade (物业, 健身会所 …)."""
    return rng.choice(PARTY_FIRST) + rng.choice(PARTY_SECOND) + ending


def spoken(rng: Random, phone: str) -> str:
    """A number as people write it into a text."""
    return rng.choice((phone, f"{phone[:3]} {phone[3:7]} {phone[7:]}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"))
