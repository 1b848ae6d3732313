"""`dispatch learn duty`, as a city would draft its book from its own history."""

import csv
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.harness.town import DEMO

HEADING = ("category", "area", "unit", "opened_at")
STREET, OTHER_STREET = "990101001", "990101002"


def history(days: int = 200) -> list[tuple[str, str, str, str]]:
    """Water is the drainage's, refuse each street's own, and smoke is anybody's."""
    ways, rows = random.Random(1), []
    for n in range(days):
        day = f"2026-{1 + n // 28:02}-{1 + n % 28:02} 08:00:00"
        street = ways.choice((STREET, OTHER_STREET))
        rows.append(("E0506", street, "drainage", day))
        rows.append(("E0110", street, "street-" + street[-3:], day))
        rows.append(("E0126", street, ways.choice(("ecology", "water-affairs", "emergency")), day))
        rows.append(("", street, "hotline", day))
    return rows


def run(tmp_path: Path, rows: list[tuple[str, ...]] | list[tuple[str, str, str, str]]) -> tuple[Result, Path]:
    cases, out = tmp_path / "old.csv", tmp_path / "duty.csv"
    with cases.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADING, *rows])
    given: list[Any] = [
        "--cases",
        cases,
        "--target",
        "unit",
        "--category",
        "category",
        "--area",
        "area",
        "--time",
        "opened_at",
    ]
    return CliRunner().invoke(main, ["learn", "duty", *map(str, given), "--out", str(out)]), out


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_a_line_is_drafted_where_one_unit_nearly_always_had_such_cases(tmp_path: Path) -> None:
    result, out = run(tmp_path, history())
    assert result.exit_code == 0, result.output
    lines = {(line["category"], line["area"]): line["lead"] for line in read(out)}
    assert lines == {
        ("E0110", STREET): "street-001", ("E0110", OTHER_STREET): "street-002", ("E0506", ""): "drainage",
    }  # fmt: skip
    support = {line["rule"]: line for line in read(tmp_path / "duty.support.csv")}
    assert [support[line["rule"]]["lead"] for line in read(out)] == [line["lead"] for line in read(out)]
    water = next(line for line in support.values() if line["category"] == "E0506")
    assert (water["cases"], water["share"]) == ("200", "1.000")
    assert 0.7 <= float(water["least"]) < 1
    assert "of these right" in result.output


def test_drafted_lines_added_to_a_citys_book_pass_its_check(tmp_path: Path) -> None:
    known = [("E0506", "", "drainage"), ("E0110", "990101", "urban-management"), ("S0704", "", "heat")]
    rows = [(c, a, u, f"2026-01-{1 + n % 28:02}") for c, a, u in known for n in range(30)]
    result, out = run(tmp_path, rows)
    assert result.exit_code == 0, result.output
    shutil.copytree(DEMO.parent, tmp_path / "city")
    book = tmp_path / "city" / "demo" / "duty.csv"
    assert out.read_text(encoding="utf-8").splitlines()[0] == book.read_text(encoding="utf-8").splitlines()[0]
    with book.open("a", encoding="utf-8") as file:
        file.writelines(out.read_text(encoding="utf-8").splitlines(keepends=True)[1:])
    checked = CliRunner().invoke(main, ["city", "check", str(tmp_path / "city" / "demo")])
    assert (checked.exit_code, "160 duty rules" in " ".join(checked.output.split())) == (0, True), checked.output


def test_a_unit_under_its_new_name_gets_the_line_for_what_it_did_under_the_old(tmp_path: Path) -> None:
    rows = []
    for n in range(120):
        name = "六合社区" if n < 90 else "六合社区（云川街道办事处）"
        rows.append(("E0110", "990101001001", name, f"2026-{1 + n // 28:02}-{1 + n % 28:02}"))
    result, out = run(tmp_path, rows)
    assert [line["lead"] for line in read(out)] == ["六合社区（云川街道办事处）"]
    assert read(tmp_path / "duty.support.csv")[0]["cases"] == "120"
    assert "took over" in result.output


@pytest.mark.parametrize("count", [4, 60])
def test_few_cases_make_no_line(tmp_path: Path, count: int) -> None:
    rare = [("E0506", "", "drainage", "2026-01-01")] * 4
    rows = rare + [("E0126", "", unit, "2026-01-02") for unit in ("ecology", "gas", "heat") * (count // 3)]
    result, out = run(tmp_path, rows)
    assert (result.exit_code, out.exists() and read(out)) == ((1, False) if count == 4 else (0, []))
