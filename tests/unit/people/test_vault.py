"""Callers: who is the same person, and what of them is shown."""

import pytest

from dispatch.people.errors import SealBroken
from dispatch.people.keyring import Keyring
from dispatch.people.masking import find_personal, mask_id, mask_name, mask_text
from dispatch.people.phone import e164, mask_phone
from dispatch.people.vault import Caller, Identity, identify, open_caller, phone_hash, seal_caller

KEYRING = Keyring.generate()


def known(name: str | None, phone: str | None) -> Identity:
    identity = identify(KEYRING, name, phone)
    assert identity is not None
    return identity


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13812345678", "+8613812345678"),
        ("138 1234 5678", "+8613812345678"),
        ("138-1234-5678", "+8613812345678"),
        ("+86 138-1234-5678", "+8613812345678"),
        ("008613812345678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("0571-87654321", "+8657187654321"),
        ("(010)88886666", "+861088886666"),
        ("（0571）87654321", "+8657187654321"),
        ("0571-87654321转8001", "+8657187654321"),
        ("+852 2123 4567", "+85221234567"),
        ("87654321", None),
        ("12345", None),
        ("1381234567", None),
        ("23812345678", None),
        ("00000000000", None),
        ("无", None),
        ("", None),
        ("\0", None),
    ],
)
def test_numbers_are_compared_in_one_form(written: str, number: str | None) -> None:
    assert e164(written) == number


def test_one_person_is_one_number_and_one_name_however_written() -> None:
    same = {known(name, phone).person for name, phone in (("张三", "13812345678"), (" 张 三 ", "+86 138 1234 5678"))}
    other = {
        known(name, phone).person
        for name, phone in (("李四", "13812345678"), ("张三", "13812345679"), (None, "13812345678"))
    }
    assert len(same) == 1
    assert len(same | other) == 4


def test_a_number_is_found_whatever_the_name() -> None:
    assert (
        known("张三", "13812345678").phone == known(None, "138-1234-5678").phone == phone_hash(KEYRING, "13812345678")
    )
    assert phone_hash(KEYRING, "12345") is None


def test_a_name_without_a_number_is_nobody_in_particular_and_a_faulty_number_is_kept() -> None:
    one, other = known("张三", None), known("张三", "不清楚")
    assert one.person != other.person
    assert one.phone is None
    assert other.caller == Caller("张三", "不清楚")


@pytest.mark.parametrize(("name", "phone"), [(None, None), ("", " "), ("匿名", None), ("不详", "无")])
def test_who_says_nothing_is_anonymous(name: str | None, phone: str | None) -> None:
    assert identify(KEYRING, name, phone) is None


def test_a_caller_opens_in_their_own_row_only_and_shows_in_no_representation() -> None:
    one, other = known("张三", "13812345678"), known("李四", "13812345678")
    sealed = seal_caller(KEYRING, one)
    assert open_caller(KEYRING, one.person, sealed) == Caller("张三", "+8613812345678")
    with pytest.raises(SealBroken):
        open_caller(KEYRING, other.person, sealed)
    assert "张三" not in repr(one)
    assert "13812345678" not in repr(one) + repr(sealed)


@pytest.mark.parametrize(
    ("shown", "masked"),
    [
        (mask_phone("+8613812345678"), "138****5678"),
        (mask_phone("13812345678"), "138****5678"),
        (mask_phone("+8657187654321"), "057****4321"),
        (mask_phone("12345"), "****"),
        (mask_phone("138****5678"), "138****5678"),
        (mask_name("张三"), "张**"),
        (mask_name("张"), "张**"),
        (mask_name("欧阳修文"), "欧阳**"),
        (mask_name("张**"), "张**"),
        (mask_name(" "), ""),
        (mask_id("11010519491231002X"), "110105************"),
    ],
)
def test_a_mask_leaves_what_desks_need_to_tell_people_apart(shown: str, masked: str) -> None:
    assert shown == masked


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("电话13812345678,请回电", "电话138****5678,请回电"),
        ("138 1234 5678或１３９－１２３４－５６７８", "138****5678或139****5678"),
        ("+8613812345678", "+138****5678"),
        ("13812345678 13987654321", "138****5678 139****4321"),
        ("3栋13812345678", "3栋138****5678"),
        ("房号3 13812345678", "房号3 138****5678"),
        ("座机（0571）87654321", "座机（057****4321"),
        ("身份证11010519491231002x", "身份证110105************"),
        ("身份证11010519491231002Ｘ号", "身份证110105************号"),
        ("卡号6222 0212 3456 7890 128", "卡号****0128"),
        # Not numbers of a person.
        ("11010519491231003X", "11010519491231003X"),
        ("6222021234567890129", "6222021234567890129"),
        ("2026-11-21 13:05:07,拨打12345三次,110出警", "2026-11-21 13:05:07,拨打12345三次,110出警"),
        ("工单20261121000017", "工单20261121000017"),
        ("欠薪128000元,共47人", "欠薪128000元,共47人"),
        ("91330100MA27XYZ123", "91330100MA27XYZ123"),
    ],
)
def test_numbers_of_people_in_free_text_are_masked_and_no_others(written: str, masked: str) -> None:
    assert mask_text(written, find_personal(written)) == masked


def test_what_a_mask_leaves_standing_joins_no_other_digits() -> None:
    once = "13912345 138****5678 139****1234 5678901"
    assert mask_text(once, find_personal(once)) == once


def test_a_text_of_many_digits_is_read_in_reasonable_steps() -> None:
    text = "1 " * 20_000 + "9" * 20_000
    assert isinstance(find_personal(text), list)
