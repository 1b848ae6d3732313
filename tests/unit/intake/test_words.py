"""What is read from a message before it is compared."""

import pytest

from dispatch.intake.alike import unsaid
from dispatch.intake.rarity import NO_RUN, counted, distinct, runs
from dispatch.intake.weighed import Weighed
from dispatch.intake.words import named, packed, spaced, unpacked, words


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
    assert words("", "路口积水。车过不去。").title_twos == words("路口积水", "").title_twos
    assert words("积水", "路口积水。").title_twos == words("积水", "").title_twos
    assert words("", "").title_twos == b""


def test_what_is_kept_of_words_comes_back_and_holds_no_character_of_them() -> None:
    said = words("荷花池公园何时开放", "请问荷花池公园什么时候开放？")
    assert unpacked(packed(said)) == said
    assert "荷花".encode() not in packed(said)
    assert "荷花".encode("utf-32-le") not in packed(said)


def test_full_width_and_case_make_no_difference() -> None:
    assert spaced("Ａ市，K12路!") == "a市 k12路"


def test_no_run_goes_over_a_gap() -> None:
    twos, threes = runs("路口 积水")
    assert twos.tolist() == [*runs("路口")[0].tolist(), NO_RUN, NO_RUN, *runs("积水")[0].tolist()]
    assert set(threes.tolist()) == {NO_RUN}
    assert len(distinct(twos)) == 2


@pytest.mark.parametrize("text", ["", "路", "路口", "😀😀😀😀", " "])
def test_any_text_has_runs_however_short(text: str) -> None:
    twos, threes = runs(text)
    assert (len(twos), len(threes)) == (max(0, len(text) - 1), max(0, len(text) - 2))


def test_what_few_write_is_rarer() -> None:
    rarity = counted(words("", text).runs for text in ["路口积水", "路口停电", "路口积水"])
    often, some, once, never = (rarity.of(runs(run)[0])[0] for run in ("路口", "积水", "停电", "从未"))
    assert once == never > some > often


def test_without_a_text_everything_is_as_rare() -> None:
    one, other = counted([]).of(runs("路口积")[0])
    assert one == other


def test_what_was_not_said_before_is_told_by_where_it_stands() -> None:
    rarity = counted([])
    before = Weighed(words("", "荷花池公园门口路面积水，车过不去。"), rarity)
    text = "荷花池公园门口路面还在积水，今天有个老人摔倒了，送了医院。"
    assert [text[a:b] for a, b in unsaid(text, before)] == ["今天有个老人摔倒了", "送了医院"]
    assert unsaid("荷花池公园门口路面积水，车过不去。", before) == []
    assert unsaid("", before) == []
    assert [a for a, _ in unsaid(text, Weighed(words("", ""), rarity))] == [0, 14, 24]
