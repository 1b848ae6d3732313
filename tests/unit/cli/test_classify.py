"""`dispatch backtest classify`, as a city would try it on its own texts."""

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.unit.learning.test_subjects import texts


def table(path: Path, found: list[str], labels: list[str] | None) -> Path:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("text", *(("label",) if labels else ())))
    for n, text in enumerate(found):
        writer.writerow((text, *((labels[n],) if labels else ())))
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


def run(cases: Path, train: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(
        main, ["backtest", "classify", "--cases", str(cases), "--train", str(train), "--out", str(out), *more]
    )


def test_every_text_gets_its_row_and_labels_change_nothing_but_the_figures(tmp_path: Path) -> None:
    new, labels = texts(40, 3)
    train, made = table(tmp_path / "old.csv", *texts(150, 1)), []
    for known in (labels, None):
        out = tmp_path / "out.csv"
        result = run(table(tmp_path / "new.csv", new, known), train, out)
        assert result.exit_code == 0, result.output
        assert ("macro-F1" in result.output) == (known is not None)
        made.append(list(csv.DictReader(out.read_text(encoding="utf-8").splitlines())))
    assert made[0] == made[1]
    assert [row["row"] for row in made[0]] == [str(n) for n in range(40)]
    assert sum(row["label"] == label for row, label in zip(made[0], labels, strict=True)) > 35


def test_a_citys_own_names_of_columns_are_translated(tmp_path: Path) -> None:
    found, labels = texts(150, 1)
    train = table(tmp_path / "old.csv", found, labels)
    train.write_text(train.read_text(encoding="utf-8").replace("text,label", "诉求,类别", 1), encoding="utf-8")
    mapping = tmp_path / "ours.toml"
    mapping.write_text('[columns]\ntext = "诉求"\nlabel = "类别"\n', encoding="utf-8")
    new, out = table(tmp_path / "new.csv", texts(20, 3)[0], None), tmp_path / "out.csv"
    assert run(new, train, out).exit_code == 1
    result = run(new, train, out, "--mapping", str(mapping))
    assert result.exit_code == 0, result.output
    assert len(out.read_text(encoding="utf-8").splitlines()) == 21


@pytest.mark.parametrize(("count", "said"), [(0, "at least two labels"), (6, "each label needs 5 texts")])
def test_too_little_to_learn_from_is_said(tmp_path: Path, count: int, said: str) -> None:
    found, labels = texts(count, 1)
    result = run(
        table(tmp_path / "new.csv", ["x"], None),
        table(tmp_path / "old.csv", found, labels or ["x"]),
        tmp_path / "out.csv",
    )
    assert (result.exit_code, said in result.output) == (1, True)
