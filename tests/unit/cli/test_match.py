"""`dispatch backtest match`, as a city would try it on its own history."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.harness.matters import messages as written
from tests.harness.matters import pairs as judged


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("message", "caller", "time", "topic", "detail"))
        writer.writerows((name, "c", "2026-01-01", said.title, said.text) for name, said in written().items())
    return path


def pairs_file(path: Path, *, labelled: bool) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("message_a", "message_b", *(("label",) if labelled else ())))
        for pair in judged():
            writer.writerow((pair.one, pair.other, *((pair.label,) if labelled else ())))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["backtest", "match", *map(str, arguments)])


@pytest.mark.parametrize("labelled", [True, False])
def test_every_pair_gets_its_row_in_order(messages: Path, tmp_path: Path, labelled: bool) -> None:
    asked, out = pairs_file(tmp_path / "pairs.csv", labelled=labelled), tmp_path / "out.csv"
    result = run("--messages", messages, "--pairs", asked, "--out", out)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["message_a"], row["message_b"]) for row in rows] == [(pair.one, pair.other) for pair in judged()]
    assert {row["verdict"] for row in rows} <= {"same", "facet", "topic", "diff"}
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    assert ("average precision" in result.output) == labelled


def test_the_labels_of_what_is_judged_change_nothing_but_the_figures(messages: Path, tmp_path: Path) -> None:
    taught = pairs_file(tmp_path / "taught.csv", labelled=True)
    found = []
    for labelled in (True, False):
        out = tmp_path / f"{labelled}.csv"
        asked = pairs_file(tmp_path / "pairs.csv", labelled=labelled)
        result = run("--messages", messages, "--pairs", asked, "--train-pairs", taught, "--out", out)
        assert result.exit_code == 0, result.output
        found.append(out.read_text())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("message_a,message_b\nnobody,nobody\n", "pairs.csv, line 2: message_a nobody is none of the messages"),
        ("message_a,b\n", "pairs.csv, line 1: message_b is no column of this file"),
        (
            "message_a,message_b,label\n槐荫家园电梯停运1,槐荫家园电梯停运2,maybe\n",
            "line 2: label maybe is none of same",
        ),
    ],
)
def test_a_faulty_table_is_named_with_line_and_column(messages: Path, tmp_path: Path, body: str, said: str) -> None:
    asked, out = tmp_path / "pairs.csv", tmp_path / "out.csv"
    asked.write_text(body, encoding="utf-8")
    result = run("--messages", messages, "--pairs", asked, "--out", out)
    assert (result.exit_code, out.exists()) == (1, False)
    assert said in result.output


def test_a_city_may_call_its_columns_otherwise(messages: Path, tmp_path: Path) -> None:
    other, names = tmp_path / "other.csv", tmp_path / "names.toml"
    other.write_text(
        messages.read_text("utf-8-sig").replace("message,caller,time,topic,detail", "no,who,at,title,said"), "utf-8"
    )
    names.write_text('[columns]\nmessage = "no"\ntopic = "title"\ndetail = "said"\n', "utf-8")
    asked, outs = pairs_file(tmp_path / "pairs.csv", labelled=True), (tmp_path / "a.csv", tmp_path / "b.csv")
    assert run("--messages", messages, "--pairs", asked, "--out", outs[0]).exit_code == 0
    assert run("--messages", other, "--pairs", asked, "--mapping", names, "--out", outs[1]).exit_code == 0
    assert outs[0].read_text() == outs[1].read_text()
    refused = run("--messages", other, "--pairs", asked, "--out", outs[1])
    assert refused.exit_code == 1
    assert "other.csv, line 1: message is no column of this file" in refused.output
