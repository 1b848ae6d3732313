"""`dispatch backtest addresses`, as a city would try it on its own pairs."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from dispatch.learning import addresses as learning
from tests.unit.learning.test_addresses import judged


def pairs_file(path: Path, *, labelled: bool) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("a", "b", *(("label",) if labelled else ())))
        for pair in judged():
            writer.writerow((pair.one, pair.other, *((pair.label,) if labelled else ())))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["backtest", "addresses", *map(str, arguments)])


@pytest.mark.parametrize("labelled", [True, False])
def test_every_pair_gets_its_row_in_order(tmp_path: Path, labelled: bool) -> None:
    asked, out = pairs_file(tmp_path / "pairs.csv", labelled=labelled), tmp_path / "out.csv"
    result = run("--pairs", asked, "--out", out)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["row"] for row in rows] == [str(n) for n in range(len(judged()))]
    assert {row["verdict"] for row in rows} <= {"same", "partial", "different"}
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    assert ("macro-F1" in result.output) == labelled


def test_what_is_judged_neither_its_labels_nor_its_neighbours_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "SETTINGS", {**learning.SETTINGS, "max_iter": 5})
    taught = pairs_file(tmp_path / "taught.csv", labelled=True)
    found = []
    for labelled in (True, False):
        asked, out = pairs_file(tmp_path / "pairs.csv", labelled=labelled), tmp_path / f"{labelled}.csv"
        result = run("--pairs", asked, "--train", taught, "--out", out)
        assert result.exit_code == 0, result.output
        found.append(out.read_text().splitlines())
    assert found[0] == found[1]
    alone, out = tmp_path / "alone.csv", tmp_path / "alone_out.csv"
    alone.write_text("a,b\n" + ",".join((judged()[7].one, judged()[7].other)) + "\n", encoding="utf-8")
    assert run("--pairs", alone, "--train", taught, "--out", out).exit_code == 0
    assert out.read_text().splitlines()[1].split(",")[1:] == found[0][8].split(",")[1:]


@pytest.mark.parametrize(
    ("option", "body", "said"),
    [
        ("--pairs", "a,c\n", "given.csv, line 1: b is no column of this file"),
        (
            "--pairs",
            "a,b,label\n槐荫路,槐荫路,maybe\n",
            "given.csv, line 2: label maybe is none of different, partial, same",
        ),
        ("--train", "a,b\n", "given.csv, line 1: label is no column of this file"),
        ("--train", "a,b,label\n槐荫路,槐荫路,\n", "given.csv, line 2: label is empty"),
        ("--train", "a,b,label\n槐荫路,槐荫路,same\n", "--train needs pairs of each of different, partial, same"),
    ],
)
def test_a_faulty_table_is_named_with_line_and_column(tmp_path: Path, option: str, body: str, said: str) -> None:
    given, out = tmp_path / "given.csv", tmp_path / "out.csv"
    given.write_text(body, encoding="utf-8")
    files = {"--pairs": pairs_file(tmp_path / "pairs.csv", labelled=False), option: given, "--out": out}
    result = run(*(each for pair in files.items() for each in pair))
    assert (result.exit_code, out.exists()) == (1, False)
    assert said in " ".join(result.output.split())


def test_a_city_may_call_its_columns_otherwise(tmp_path: Path) -> None:
    names, pairs, out = tmp_path / "names.toml", tmp_path / "pairs.csv", tmp_path / "out.csv"
    names.write_text('[columns]\na = "said"\nb = "known"\n', "utf-8")
    pairs.write_text("said,known\n花园路12号,花园路12号\n", "utf-8")
    given = ["backtest", "addresses", "--pairs", str(pairs), "--out", str(out)]
    assert CliRunner().invoke(main, given).exit_code == 1
    assert CliRunner().invoke(main, [*given, "--mapping", str(names)]).exit_code == 0
    assert [row["row"] for row in csv.DictReader(out.read_text("utf-8").splitlines())] == ["0"]
