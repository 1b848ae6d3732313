"""`dispatch learn` against a real database: what comes into service, what is refused, what is kept, and going back."""

import asyncio
import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from dispatch.domain.errors import RuleBroken
from dispatch.intake.models import Keeper
from dispatch.learning import register
from dispatch.store.pool import open_pool
from tests.harness.matters import messages, pairs
from tests.harness.town import START
from tests.integration.learning.models import model, put, taught
from tests.unit.learning.test_routing import handled


def learn(database: str, *given: object) -> Result:
    return CliRunner().invoke(main, ["learn", *map(str, given), "--database", database], terminal_width=200)


def written(path: Path, heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heading, *rows])
    return path


def labelled(path: Path, seed: int, *, wrong: float = 0.0, phone: str = "") -> Path:
    """Texts with their codes, a share of them with one drawn anew."""
    found, labels = taught(200, seed)
    ways = random.Random(seed)
    drawn = [ways.choice(labels) if ways.random() < wrong else label for label in labels]
    return written(path, ("text", "label"), [(phone + text, label) for text, label in zip(found, drawn, strict=True)])


async def serving(database: str) -> dict[str, str]:
    pool = await open_pool(database, size=1)
    try:
        keeper = Keeper()
        await keeper.refresh(pool)
        return dict(keeper.current.versions)
    finally:
        await pool.close()


async def test_a_model_is_measured_kept_and_serves_and_a_worse_one_does_not(city_url: str, tmp_path: Path) -> None:
    good, bad = labelled(tmp_path / "good.csv", 1), labelled(tmp_path / "bad.csv", 2, wrong=0.6)
    first = await _in_thread(learn, city_url, "subjects", "--cases", good)
    assert first.exit_code == 0, first.output
    assert "macro-F1" in first.output
    assert "is in service" in first.output
    before = await serving(city_url)
    second = await _in_thread(learn, city_url, "subjects", "--cases", bad)
    assert second.exit_code == 0, second.output
    assert "kept, but not in service" in second.output
    assert "200 rows new to both" in " ".join(second.output.split())
    assert await serving(city_url) == before
    again = await _in_thread(learn, city_url, "subjects", "--cases", good)
    assert "serves already" in again.output
    listed = (await _in_thread(learn, city_url, "list")).output
    assert listed.count("subjects") == 2


async def test_rare_labels_are_left_out_and_those_that_are_no_codes_are_told(city_url: str, tmp_path: Path) -> None:
    found, labels = taught(200, 1)
    rare = [*zip(found, labels, strict=True), ("路灯坏了好几天没人修", "E0108"), ("空调外机滴水", "X99")]
    cases = written(tmp_path / "a.csv", ("text", "label"), [*rare, *[(text, "没有此码") for text in taught(8, 5)[0]]])
    result = await _in_thread(learn, city_url, "subjects", "--cases", cases)
    assert result.exit_code == 0, result.output
    output = " ".join(result.output.split())
    assert "copies of one another 样本太少: E0108 X99" in output
    assert "非本市分类编码: 没有此码" in output
    assert await _value(city_url, "SELECT rows FROM models") == 208


async def test_a_dry_run_keeps_nothing(city_url: str, tmp_path: Path) -> None:
    result = await _in_thread(learn, city_url, "subjects", "--cases", labelled(tmp_path / "a.csv", 1), "--dry-run")
    assert (result.exit_code, "nothing was kept" in result.output) == (0, True)
    assert await _value(city_url, "SELECT count(*) FROM models") == 0


async def test_an_earlier_model_is_put_into_service_again(city_url: str, tmp_path: Path) -> None:
    await _in_thread(learn, city_url, "subjects", "--cases", labelled(tmp_path / "a.csv", 1, wrong=0.3))
    first = (await serving(city_url))["subjects"]
    await _in_thread(learn, city_url, "subjects", "--cases", labelled(tmp_path / "b.csv", 2))
    assert (await serving(city_url))["subjects"] != first
    result = await _in_thread(learn, city_url, "restore", "subjects", first[:6])
    assert (result.exit_code, first in result.output) == (0, True)
    assert (await serving(city_url))["subjects"] == first
    assert (await _in_thread(learn, city_url, "restore", "subjects", first)).exit_code == 1
    assert (await _in_thread(learn, city_url, "restore", "subjects", "ffff")).exit_code == 1


async def test_numbers_of_people_are_gone_before_anything_is_learned(city_url: str, tmp_path: Path) -> None:
    one = labelled(tmp_path / "one.csv", 1, phone="13912345678，")
    other = labelled(tmp_path / "other.csv", 1, phone="13900005678，")
    await _in_thread(learn, city_url, "subjects", "--cases", one)
    assert "serves already" in (await _in_thread(learn, city_url, "subjects", "--cases", other)).output


async def test_units_are_learned_by_our_names_of_a_citys_columns(city_url: str, tmp_path: Path) -> None:
    rows = [(r["community"], r["matter"], r["time"], r["unit"]) for r in handled(range(100))]
    cases = written(tmp_path / "old.csv", ("社区", "事项", "time", "unit"), rows)
    mapping = tmp_path / "ours.toml"
    mapping.write_text('[columns]\narea_name = "社区"\ncategory_name = "事项"\n', encoding="utf-8")
    given = ("units", "--cases", cases, "--target", "unit", "--features", "area_name,category_name", "--time", "time")
    result = await _in_thread(learn, city_url, *given, "--mapping", mapping)
    assert result.exit_code == 0, result.output
    assert "in the first 3" in result.output
    assert set(await serving(city_url)) == {"units"}


async def test_a_model_that_was_compared_with_another_one_than_serves_is_refused(city_url: str) -> None:
    one, two = model("subjects", b"one"), model("subjects", b"two")
    await put(city_url, one)
    connection = await asyncpg.connect(city_url)
    try:
        with pytest.raises(RuleBroken, match="another model came into service meanwhile"):
            await register.put(connection, two, replaces=None, serve=True, by="test", now=START)
    finally:
        await connection.close()
    assert await _value(city_url, "SELECT count(*) FROM models") == 1


@pytest.mark.parametrize("missing", ["text", "label"])
async def test_a_column_that_is_not_there_is_named(city_url: str, tmp_path: Path, missing: str) -> None:
    other = "label" if missing == "text" else "text"
    cases = written(tmp_path / "x.csv", (other,), [("a",)])
    result = await _in_thread(learn, city_url, "subjects", "--cases", cases)
    assert result.exit_code == 1
    assert f"x.csv, line 1: {missing} is no column of this file" in " ".join(result.output.split())


async def _value(database: str, statement: str) -> object:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def _in_thread(work: Callable[..., Result], *given: object) -> Result:
    """A command has an event loop of its own."""
    return await asyncio.to_thread(work, *given)


def judged_pairs(folder: Path, *, wrong: bool) -> tuple[Path, Path]:
    """Messages with pairs that people judged, or judged by lot; of the second other messages."""
    ways, ending = random.Random(1), "，请尽快" if wrong else ""
    said = [(name, each.title, each.text + ending) for name, each in messages().items()]
    labels = [pair.label or "" for pair in pairs()]
    if wrong:
        ways.shuffle(labels)
    rows = [(pair.one, pair.other, label) for pair, label in zip(pairs(), labels, strict=True)]
    kind = "wrong" if wrong else "right"
    return (
        written(folder / f"{kind}-messages.csv", ("message", "topic", "detail"), said),
        written(folder / f"{kind}-pairs.csv", ("message_a", "message_b", "label"), rows),
    )


async def test_how_messages_are_compared_is_learned_and_a_worse_way_does_not_serve(
    city_url: str, tmp_path: Path
) -> None:
    right, wrong = (judged_pairs(tmp_path, wrong=each) for each in (False, True))
    first = await _in_thread(learn, city_url, "pairs", "--messages", right[0], "--pairs", right[1])
    assert first.exit_code == 0, first.output
    assert "average precision of same" in first.output
    before = await serving(city_url)
    assert f"{before['pairs']} is in service" in first.output
    again = await _in_thread(learn, city_url, "pairs", "--messages", right[0], "--pairs", right[1])
    assert "serves already" in again.output
    second = await _in_thread(learn, city_url, "pairs", "--messages", wrong[0], "--pairs", wrong[1])
    assert second.exit_code == 0, second.output
    assert "kept, but not in service" in second.output
    assert await serving(city_url) == before


async def test_a_citys_first_model_does_not_serve_where_what_is_shipped_is_better(
    city_url: str, tmp_path: Path
) -> None:
    said, judged = judged_pairs(tmp_path, wrong=True)
    first = await _in_thread(learn, city_url, "pairs", "--messages", said, "--pairs", judged)
    assert first.exit_code == 0, first.output
    assert "of shipped in service" in first.output
    assert "rows new to both" in first.output
    assert first.output.rstrip().endswith("is worse than shipped")
    assert await serving(city_url) == {}
    assert await _value(city_url, "SELECT count(*) FROM models") == 1


async def test_pairs_of_one_label_teach_nothing(city_url: str, tmp_path: Path) -> None:
    said, _ = judged_pairs(tmp_path, wrong=False)
    rows = [(pair.one, pair.other, "same") for pair in pairs() if pair.label == "same"]
    only = written(tmp_path / "same.csv", ("message_a", "message_b", "label"), rows)
    refused = await _in_thread(learn, city_url, "pairs", "--messages", said, "--pairs", only)
    assert refused.exit_code == 1
    assert "same.csv: some pairs must be same, and some not" in refused.output
