"""What the columns of a city's file are called is said once, and faults name file, line and column."""

from pathlib import Path

import pytest

from connectors.history.mapping import check_mapping
from dispatch.learning import tables

MAPPING = '[columns]\ncategory = "小类"\ntext = ["topic", "detail"]\n'


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_read_by_our_names_and_several_may_make_one(tmp_path: Path) -> None:
    names = tables.names(written(tmp_path / "ours.toml", MAPPING))
    cases = written(tmp_path / "x.csv", "小类,topic,detail\nE01,路灯,不亮\nE02,,积水\n")
    assert [row for _, row in tables.rows(cases, ("category", "text"), names)] == [
        {"category": "E01", "text": "路灯\n不亮"},
        {"category": "E02", "text": "积水"},
    ]
    assert tables.has(cases, "category", names)
    assert not tables.has(cases, "area", names)


def test_a_file_that_has_a_column_by_our_name_needs_no_mapping(tmp_path: Path) -> None:
    names = tables.names(written(tmp_path / "ours.toml", MAPPING))
    cases = written(tmp_path / "x.csv", "text,小类,category\na,E01,E09\n")
    assert [row for _, row in tables.rows(cases, ("category", "text"), names)] == [{"category": "E01", "text": "a"}]


def test_a_column_that_is_missing_is_named_as_the_file_would_have_it(tmp_path: Path) -> None:
    names = tables.names(written(tmp_path / "ours.toml", MAPPING))
    cases = written(tmp_path / "x.csv", "a\n1\n")
    with pytest.raises(tables.FaultyTable, match=r"x\.csv, line 1: 小类 is no column of this file"):
        list(tables.rows(cases, ("category",), names))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[columns", "is not TOML"),
        ("[file]\nkind = 'csv'\n", r"\[columns\] says nothing"),
        ("[columns]\ntext = 3\n", r"\[columns\] text is neither a name of a column nor a list of them"),
        ("[columns]\ntext = []\n", r"\[columns\] text is neither"),
    ],
)
def test_a_mapping_that_says_nothing_usable_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(tables.FaultyTable, match=said):
        tables.names(written(tmp_path / "ours.toml", text))


def test_the_mapping_of_a_replay_may_say_it_too(tmp_path: Path) -> None:
    replay = (Path(__file__).parents[3] / "config" / "mappings" / "messages.toml").read_text(encoding="utf-8")
    both = written(tmp_path / "both.toml", f"{replay}\n{MAPPING}")
    assert check_mapping(both) == ()
    assert tables.names(both)["category"] == ("小类",)
