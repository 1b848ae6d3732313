"""`dispatch sla due` and `dispatch calendar show`, as a clerk without a database uses them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from sla.workdays import LAST_PUBLISHED_YEAR

NEXT = LAST_PUBLISHED_YEAR + 1


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sla", "due", *arguments])


@pytest.mark.parametrize(
    ("at", "limit", "more", "due"),
    [
        ("2026-02-13 17:00", "2wd", (), "2026-02-24T17:00:00+08:00"),
        ("2026-02-13 17:00", "2wd", ("--mode", "day_end"), "2026-02-24T18:00:00+08:00"),
        ("2026-09-30 16:00", "24h", ("--mode", "day_end"), "2026-10-01T16:00:00+08:00"),
        ("2026-09-30 16:00", "4小时", ("--dialect", "city-management"), "2026-10-08T10:00:00+08:00"),
        ("2026-02-13T09:00+00:00", "1wh", (), "2026-02-13T18:00:00+08:00"),
        ("2026-03-02 09:00", "30min", ("--tz", "Europe/London"), "2026-03-02T09:30:00+00:00"),
        (f"{NEXT}-03-03 09:00", "1h", (), f"{NEXT}-03-03T10:00:00+08:00"),
    ],
)
def test_a_due_time_is_printed(at: str, limit: str, more: tuple[str, ...], due: str) -> None:
    done = asked("--at", at, "--limit", limit, *more)
    assert (done.exit_code, done.output) == (0, f"{due}\n")


def test_a_due_time_in_a_year_without_notice_is_provisional() -> None:
    assert asked("--at", f"{NEXT}-03-03 09:00", "--limit", "1wd").output.endswith(" provisional\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--at", "gestern", "--limit", "1wd"), "--at: 'gestern' is not a time"),
        (("--at", "2026-03-03 09:00", "--limit", "4小时"), "declare the table's dialect"),
        (("--at", "2026-03-03 09:00", "--limit", "1wd", "--tz", "Nowhere/City"), "'Nowhere/City' is not a time zone"),
        (("--at", "2026-03-03 09:00"), "give --at and --limit"),
        ((), "give --at and --limit"),
    ],
)
def test_what_cannot_be_answered_is_told_in_words(arguments: tuple[str, ...], told: str) -> None:
    done = asked(*arguments)
    assert done.exit_code != 0
    assert told in done.output
    assert "Traceback" not in done.output


def test_a_file_is_answered_row_by_row(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(
        f"at,limit,mode\n2026-02-13 17:00,5wd,day_end\n2026-09-30T16:00,24h,day_end\n{NEXT}-03-03 09:00,1wh,\n", "utf-8"
    )
    done = asked("--in", str(source), "--out", str(target))
    assert done.exit_code == 0, done.output
    assert target.read_text("utf-8").splitlines() == [
        "at,limit,mode,due,provisional",
        "2026-02-13 17:00,5wd,day_end,2026-02-27 18:00:00,false",
        "2026-09-30T16:00,24h,day_end,2026-10-01 16:00:00,false",
        f"{NEXT}-03-03 09:00,1wh,hours8,{NEXT}-03-03 10:00:00,true",
    ]


def test_every_faulty_row_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("at,limit,mode\nx,5,never\n2026-09-30 16:00,4小时,\n2026-09-30 16:00,4wh,\n", "utf-8")
    done = asked("--in", str(source), "--out", str(target))
    assert done.exit_code == 1
    named = [line.split(": ")[0:2] for line in done.output.splitlines() if line.startswith("in.csv")]
    assert named == [["in.csv:2", "at"], ["in.csv:2", "limit"], ["in.csv:2", "mode"], ["in.csv:3", "limit"]]
    assert not target.exists()


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("when,limit\n", "utf-8")
    done = asked("--in", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv"))
    assert done.exit_code == 1
    assert "column at is missing" in done.output


def test_an_empty_file_has_no_answers(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("at,limit,mode\n", "utf-8")
    assert asked("--in", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv")).exit_code == 0
    assert (tmp_path / "out.csv").read_text("utf-8") == "at,limit,mode,due,provisional\n"


def test_a_year_is_drawn_with_its_holidays_working_weekends_and_source() -> None:
    done = CliRunner().invoke(main, ["calendar", "show", "2026"])
    assert done.exit_code == 0, done.output
    assert "2026: 248 working days" in done.output
    assert [day in done.output for day in ("休16", "班14", "班28", "休25", "班10")] == [True] * 5
    assert "as published" in done.output.lower()


def test_a_year_without_notice_says_so_and_one_of_a_file_names_it(tmp_path: Path) -> None:
    years = tmp_path / "holidays.toml"
    off = ", ".join(f'"{NEXT}-{day}"' for day in ("01-01", "05-01", "05-02", "10-01", "10-02", "10-03", "03-03"))
    years.write_text(f'[[year]]\nyear = {NEXT}\nnotice = "https://www.gov.cn/invented"\noff = [{off}]\n', "utf-8")
    without = CliRunner().invoke(main, ["calendar", "show", str(NEXT)])
    given = CliRunner().invoke(main, ["calendar", "show", str(NEXT), "--calendar", str(years)])
    assert "No notice yet" in without.output
    assert "https://www.gov.cn/invented" in given.output
    assert asked("--at", f"{NEXT}-03-02 09:00", "--limit", "1wd", "--calendar", str(years)).output == (
        f"{NEXT}-03-04T09:00:00+08:00\n"
    )


def test_a_faulty_file_of_years_is_told_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "holidays.toml").write_text("[[year]]\nyear = 2027\n", "utf-8")
    done = CliRunner().invoke(main, ["calendar", "show", "2027", "--calendar", str(tmp_path / "holidays.toml")])
    assert done.exit_code == 1
    assert "holidays.toml:1: notice: is missing" in done.output


def test_an_explanation_shows_what_counts_and_its_sum() -> None:
    done = CliRunner().invoke(
        main, ["sla", "explain", "--at", "2026-02-13 17:00", "--limit", "2wd"], env={"COLUMNS": "160"}
    )
    assert done.exit_code == 0, done.output
    for told in ("调休上班 worked weekend", "春节 Spring Festival", "午休 break", "非工作时段 outside working hours"):
        assert told in done.output
    assert "sum 合计: 16:00:00 = 2wd; due 到期: 2026-02-24T17:00:00+08:00" in done.output


def test_what_was_suspended_and_extended_is_explained_and_moves_the_end() -> None:
    adjusted = ("--extend", "1wd", "--pause", "2026-03-09 10:00/2026-03-11 09:00")
    question = ("--at", "2026-03-09 08:00", "--limit", "2wd", *adjusted)
    assert asked(*question).output == "2026-03-13T17:00:00+08:00\n"
    shown = CliRunner().invoke(main, ["sla", "explain", *question], terminal_width=200).output
    assert "挂账，不计入" in shown
    assert "延期时间" in shown
    assert "sum 合计: 24:00:00 = 2wd + 1wd; due 到期: 2026-03-13T17:00:00+08:00" in shown


def test_an_explanation_says_where_counting_begins() -> None:
    shown = CliRunner().invoke(main, ["sla", "explain", "--at", "2026-03-07 08:00", "--limit", "4wh"]).output
    assert "counting begins 起算: 2026-03-09T08:00:00+08:00" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--pause", "yesterday"), "'yesterday' is not two times like"),
        (("--pause", "2026-03-11 09:00/2026-03-09 10:00"), "ends before it begins"),
        (("--extend", "5天"), "can mean natural or working time"),
    ],
)
def test_an_adjustment_that_cannot_be_is_told_in_words(arguments: tuple[str, ...], told: str) -> None:
    refused = asked("--at", "2026-03-09 08:00", "--limit", "2wd", *arguments)
    assert refused.exit_code != 0
    assert told in refused.output
