"""`dispatch backtest duplicates`, as a city would try it on its own history."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from dispatch.intake.located import Located
from tests.unit.learning.test_located import history

HEAD = ("case_enquiry_id", "open_dt", "closed_dt", "type", "reason", "location", "latitude", "longitude")
BOSTON = Path(__file__).parents[3].parent / "shared" / "data" / "boston"


def row(case: Located) -> list[object]:
    return [case.key, case.opened_at.isoformat(" "), "", case.kind, "", "", case.lat, case.lon]


def table(path: Path, head: tuple[str, ...], rows: list[list[object]]) -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def cases_file(path: Path, seed: int = 1) -> Path:
    return table(path, HEAD, [row(case) for case in history(seed)[0]])


def pairs_file(path: Path, seed: int = 1) -> Path:
    """Every second pair is named by its earlier case, and one lies too far apart."""
    rows: list[list[object]] = [[*(pair if n % 2 else pair[::-1]), 20.0] for n, pair in enumerate(history(seed)[1])]
    return table(path, ("dup_case", "ref_case", "distance_m"), [*rows, ["2b", "3a", 5_000]])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["backtest", "duplicates", *map(str, arguments)])


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("measured", [True, False])
def test_every_case_gets_its_row_in_order_and_names_an_earlier_one_at_most(tmp_path: Path, measured: bool) -> None:
    cases, out = cases_file(tmp_path / "new.csv.gz", 2), tmp_path / "out.csv"
    train = ("--train", cases_file(tmp_path / "old.csv"), "--train-pairs", pairs_file(tmp_path / "named.csv"))
    figures = ("--pairs", pairs_file(tmp_path / "pairs.csv", 2)) if measured else ()
    result = run("--cases", cases, *train, *figures, "--share", "0.5", "--out", out)
    assert result.exit_code == 0, result.output
    keys = [case.key for case in history(2)[0]]
    rows = read(out)
    assert [each["case_enquiry_id"] for each in rows] == keys
    named = [(each["case_enquiry_id"], each["duplicate_of"]) for each in rows if each["duplicate_of"]]
    assert named
    assert all(keys.index(earlier) < keys.index(later) for later, earlier in named)
    assert all(0 <= float(each["score"]) <= 1 for each in rows)
    assert len(set(named) & set(history(2)[1])) / len(history(2)[1]) > 0.8
    assert ("the pair itself found" in result.output) == measured
    if measured:
        assert f"{len(history(2)[1])}, " in result.output


def test_the_pairs_of_the_figures_change_nothing_else(tmp_path: Path) -> None:
    cases, found = cases_file(tmp_path / "new.csv"), []
    for more in ((), ("--pairs", pairs_file(tmp_path / "pairs.csv"))):
        out = tmp_path / "out.csv"
        assert run("--cases", cases, *more, "--out", out).exit_code == 0
        found.append(out.read_text())
    assert found[0] == found[1]


def test_the_shipped_model_names_no_more_than_the_share(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run("--cases", cases_file(tmp_path / "new.csv"), "--share", "0.1", "--out", out).exit_code == 0
    rows = read(out)
    assert 0 < sum(bool(each["duplicate_of"]) for each in rows) <= 0.1 * len(rows)


def test_a_matter_that_gathers_more_than_the_alarm_is_marked(tmp_path: Path) -> None:
    crowd: list[list[object]] = [
        [f"{n}", f"2026-03-0{1 + n // 20} {n % 20:02}:30:00", "", "hydrant", "water", "", 30.5, 114.3]
        for n in range(60)
    ]
    cases, out = table(tmp_path / "new.csv", HEAD, crowd), tmp_path / "out.csv"
    marked = [
        any("!" in line for line in run("--cases", cases, "--share", "1", "--alarm", alarm, "--out", out).output.splitlines())
        for alarm in (5, 100)
    ]  # fmt: skip
    assert marked == [True, False]


CASE = ["1", "2026-03-01 10:00:00", "", "lamp", "", "", "30.5", "114.3"]


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        (HEAD[1:], [CASE[1:]], "new.csv, line 1: case_enquiry_id is no column of this file"),
        (HEAD, [CASE, CASE], "new.csv, line 3: case_enquiry_id 1 stood before"),
        (HEAD, [CASE, ["2", "2026-02-01", *CASE[2:]]], "new.csv, line 3: open_dt is before that of the line above"),
        (HEAD, [["1", "yesterday", *CASE[2:]]], "new.csv, line 2: open_dt yesterday cannot be read"),
        (HEAD, [["1", "", *CASE[2:]]], "new.csv, line 2: open_dt nothing cannot be read"),
        (HEAD, [[*CASE[:6], "north", "114.3"]], "new.csv, line 2: latitude north cannot be read"),
    ],
)
def test_a_faulty_table_is_named_with_line_and_column(
    tmp_path: Path, head: tuple[str, ...], rows: list[list[object]], said: str
) -> None:
    out = tmp_path / "out.csv"
    result = run("--cases", table(tmp_path / "new.csv", head, rows), "--out", out)
    assert (result.exit_code, out.exists()) == (1, False)
    assert said in " ".join(result.output.split())


def test_training_needs_cases_and_pairs_that_lie_within_reach(tmp_path: Path) -> None:
    cases, out = cases_file(tmp_path / "new.csv"), tmp_path / "out.csv"
    assert "--train and --train-pairs go together" in run("--cases", cases, "--train", cases, "--out", out).output
    far = table(tmp_path / "far.csv", ("dup_case", "ref_case"), [["1b", "200a"]])
    result = run("--cases", cases, "--train", cases, "--train-pairs", far, "--out", out)
    assert "far.csv: no pair of cases of --train that lie within reach" in " ".join(result.output.split())


@pytest.mark.skipif(not BOSTON.exists(), reason="the measured data of Boston is not beside this folder")
def test_pairs_that_a_city_named_are_flagged_within_the_share(tmp_path: Path) -> None:
    named, out = BOSTON / "duplicate_pairs.csv", tmp_path / "out.csv"
    with gzip.open(BOSTON / "cases.csv.gz", "rt", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    half = len(rows) * 2 // 5
    new, old = tmp_path / "new.csv", tmp_path / "old.csv"
    table(new, tuple(head), [list(each) for each in rows[:half]])
    table(old, tuple(head), [list(each) for each in rows[half : 2 * half]])
    result = run("--cases", new, "--train", old, "--train-pairs", named, "--pairs", named, "--out", out)
    assert result.exit_code == 0, result.output
    said = {each["case_enquiry_id"]: each["duplicate_of"] for each in read(out)}
    assert sum(map(bool, said.values())) <= 0.12 * len(said)
    with named.open(encoding="utf-8") as file:
        near = [each for each in csv.DictReader(file) if float(each["distance_m"]) <= 500]
    order = {key: n for n, key in enumerate(said)}
    pairs = [
        sorted((each["dup_case"], each["ref_case"]), key=order.__getitem__)
        for each in near if each["dup_case"] in order and each["ref_case"] in order
    ]  # fmt: skip
    assert sum(bool(said[later]) for _, later in pairs) / len(pairs) > 0.9
    assert sum(said[later] == earlier for earlier, later in pairs) / len(pairs) > 0.8
