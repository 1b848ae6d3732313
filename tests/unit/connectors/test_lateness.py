"""Who was late, by the times of a history and nothing else."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.history.document import MappingFaults
from connectors.history.lateness import Backtest, NoDeadlines, backtest, clocked_rows
from connectors.history.mapping import check_mapping, read_mapping
from dispatch.cli import main

MAPPING = """
[file]
kind = "csv"
[time]
zone = "America/New_York"
formats = ["%Y-%m-%d %H:%M"]
[report]
channel = "'history'"
external_id = "no"
received_at = "opened"
text = "no"
[closing]
at = "closed"
[deadline]
due = "target"
unit = "unit"
flag = "kept"
late = ["LATE"]
in_time = ["OK"]
"""
HEAD = "no,opened,target,closed,unit,kept\n"


def judged(folder: Path, *rows: str, mapping: str = MAPPING) -> Backtest:
    (folder / "m.toml").write_text(mapping, "utf-8")
    (folder / "h.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows), "utf-8")
    return backtest(list(clocked_rows(folder / "h.csv", read_mapping(folder / "m.toml"))))


# One row that ends the history: what is due before it and open is late.
LAST = "z,2011-12-30 09:00,2011-12-31 09:00,2011-12-30 10:00,end,OK"


@pytest.mark.parametrize(
    ("row", "late", "left_out"),
    [
        ("1,2011-07-01 09:00,2011-07-02 09:00,2011-07-02 09:00,a,", False, None),
        ("1,2011-07-01 09:00,2011-07-02 09:00,2011-07-02 09:01,a,", True, None),
        ("1,2011-07-01 09:00,2011-07-02 09:00,,a,", True, None),
        ("1,2011-12-01 09:00,2012-01-05 09:00,,a,", None, "still running at the end"),
        ("1,2011-07-01 09:00,,2011-07-02 09:00,a,", None, "no due time"),
        ("1,2011-07-01 09:00,soon,2011-07-02 09:00,a,", None, "no due time"),
        ("1,2011-07-01 09:00,2011-06-30 09:00,2011-07-02 09:00,a,", None, "due before it was received"),
        ("1,,2011-06-30 09:00,2011-07-02 09:00,a,", None, "no time of receipt"),
        # The clocks went forward at two: of these walls one is before the other, and so are their instants.
        ("1,2011-03-12 09:00,2011-03-13 03:00,2011-03-13 01:59,a,", False, None),
    ],
)
def test_a_row_is_late_by_its_own_times_or_left_out_with_its_reason(
    tmp_path: Path, row: str, late: bool | None, left_out: str | None
) -> None:
    found = judged(tmp_path, row, LAST)
    assert found.read == 2 == found.judged + found.left_out.total()
    assert dict(found.left_out) == ({left_out: 1} if left_out else {})
    assert found.late == bool(late)


def test_the_city_s_own_word_is_compared_where_it_has_one(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        "1,2011-07-01 09:00,2011-07-02 09:00,2011-07-03 09:00,a,LATE",
        "2,2011-07-01 09:00,2011-07-02 09:00,2011-07-03 09:00,a,OK",
        "3,2011-07-01 09:00,2011-07-02 09:00,2011-07-01 19:00,b,OK",
        "4,2011-07-01 09:00,2011-07-02 09:00,2011-07-01 19:00,b,?",
    )
    assert (found.flagged, found.agreeing, found.agreement) == (3, 2, 2 / 3)
    assert [row.line for row in found.disagreeing] == [3]
    assert {unit: (figures.judged, figures.late) for unit, figures in found.units.items()} == {"a": (2, 2), "b": (2, 0)}


def test_a_mapping_without_due_times_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoDeadlines, match=r"m\.toml"):
        judged(tmp_path, LAST, mapping=MAPPING.split("[deadline]")[0])


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('due = "target"\n', "", "[deadline] due: missing"),
        ('late = ["LATE"]\n', "", "[deadline] flag: flag and late belong together"),
        ('in_time = ["OK"]', 'in_time = "OK"', "[deadline] in_time: a list of texts"),
        ('unit = "unit"', 'team = "unit"', "[deadline] team: no such key"),
    ],
)
def test_faults_of_the_table_are_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    (tmp_path / "m.toml").write_text(MAPPING.replace(old, new), "utf-8")
    assert fault in [str(each) for each in check_mapping(tmp_path / "m.toml")]


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingFaults, match="no column missing"):
        judged(tmp_path, LAST, mapping=MAPPING.replace('due = "target"', 'due = "missing"'))


def test_the_command_prints_an_account_that_adds_up(tmp_path: Path) -> None:
    judged(tmp_path, "1,2011-07-01 09:00,2011-07-02 09:00,2011-07-03 09:00,a,LATE", LAST)
    command = ["backtest", "deadlines", str(tmp_path / "h.csv"), "--mapping", str(tmp_path / "m.toml")]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    for name, value in (("read", "2"), ("judged", "2"), ("late", "1 (50.0 %)"), ("agreeing", "2 (100.0 %)")):
        assert any(name in line and value in line for line in done.output.splitlines()), (name, done.output)
    (tmp_path / "m.toml").write_text(MAPPING.split("[deadline]")[0], "utf-8")
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "[deadline]" in refused.output
