"""What is read from a message before it is compared."""

import pytest

from dispatch.intake.rarity import counted, runs
from dispatch.intake.words import named, spaced, words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("反映a市a3区魅力之城小区油烟", {"魅力"}),
        ("白云路成了断头路", {"白云"}),
        ("请问荷花池公园什么时候开放", {"荷花池"}),
        ("今天天气很好", set()),
        ("", set()),
    ],
)
def test_named_things_are_read_without_their_endings(text: str, names: set[str]) -> None:
    assert names <= named(text)
    assert bool(named(text)) == bool(names)


def test_a_text_without_a_title_has_its_first_sentence_for_one() -> None:
    assert words("", "路口积水。车过不去。").title == "路口积水"
    assert words("积水", "路口积水。").title == "积水"
    assert words("", "").title == ""


def test_full_width_and_case_make_no_difference() -> None:
    assert spaced("Ａ市，K12路!") == "a市 k12路"


def test_no_run_goes_over_a_gap() -> None:
    assert runs("路口 积水", 2) == {"路口", "积水"}


def test_what_few_write_is_rarer() -> None:
    rarity = counted(["路口积水", "路口停电", "路口积水"])
    assert rarity.of("停电") > rarity.of("积水") > rarity.of("路口")
    assert rarity.of("从未") == rarity.of("停电")
