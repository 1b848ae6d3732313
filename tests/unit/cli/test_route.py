"""`dispatch backtest route`, as a city would try it on its own history."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from dispatch.intake.shares import Row
from tests.unit.learning.test_routing import handled

BEFORE, LATER = handled(range(100)), handled(range(100, 105), seed=2)


def table(path: Path, rows: Sequence[Row]) -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def run(cases: Path, train: Path, out: Path, *more: str) -> Result:
    given = (
        "--cases",
        cases,
        "--train",
        train,
        "--out",
        out,
        "--target",
        "unit",
        "--features",
        "community,matter",
        "--time",
        "time",
        *more,
    )
    return CliRunner().invoke(main, ["backtest", "route", *map(str, given)])


@pytest.mark.parametrize("known", [True, False])
def test_every_case_gets_its_row_in_order_whether_its_unit_is_known_or_not(tmp_path: Path, known: bool) -> None:
    asked = LATER if known else [{k: v for k, v in row.items() if k != "unit"} for row in LATER]
    out = tmp_path / "out.csv"
    result = run(table(tmp_path / "new.csv", asked), table(tmp_path / "old.csv.gz", BEFORE), out)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["row"] for row in rows] == [str(n) for n in range(len(LATER))]
    right = [row["first"] == true["unit"] for row, true in zip(rows, LATER, strict=True)]
    assert sum(right) / len(right) > 0.9
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)
    assert ("first choice" in result.output) == known
    assert ("Who gets whose work" in result.output) == known
    assert ("most worth fixing" in result.output) == known


def test_a_citys_own_names_of_columns_are_translated(tmp_path: Path) -> None:
    theirs = {"community": "社区", "matter": "事项", "unit": "单位", "time": "时间"}
    foreign = [{theirs[k]: v for k, v in row.items()} for row in BEFORE]
    mapping = tmp_path / "ours.toml"
    mapping.write_text("[columns]\n" + "".join(f'{k} = "{v}"\n' for k, v in theirs.items()), encoding="utf-8")
    cases, train = table(tmp_path / "new.csv", LATER), table(tmp_path / "old.csv", foreign)
    made = []
    for n, more in enumerate(([], ["--mapping", str(mapping)])):
        out = tmp_path / f"out{n}.csv"
        result = run(cases, table(tmp_path / "same.csv", BEFORE) if not more else train, out, *more)
        assert result.exit_code == 0, result.output
        made.append(out.read_text(encoding="utf-8"))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [{"community": "a", "matter": "b", "unit": "u", "time": "yesterday"}],
            "old.csv, line 2: time yesterday does not begin",
        ),
        ([{"community": "a", "matter": "b", "unit": "u"}], "old.csv, line 1: time is no column of this file"),
        (BEFORE[:3], "old.csv: 3 cases with unit are too few to learn from"),
    ],
)
def test_what_cannot_be_learned_from_is_named(tmp_path: Path, rows: list[Row], said: str) -> None:
    result = run(table(tmp_path / "new.csv", LATER), table(tmp_path / "old.csv", rows), tmp_path / "out.csv")
    assert (result.exit_code, (tmp_path / "out.csv").exists()) == (1, False)
    assert said in " ".join(result.output.split())
