"""`dispatch learn located` and `learn addresses` against a real database: kept, swapped in, refused where worse, restored."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from dispatch.intake.located import Located, LocatedModel
from dispatch.intake.models import Keeper, Models
from dispatch.learning import addresses as learning
from dispatch.learning.located import Named
from dispatch.learning.pairs import Pair
from dispatch.store.pool import open_pool
from gridmap.address_pairs import LABELS, AddressModel
from tests.integration.learning.models import model, put
from tests.integration.learning.test_learn_command import _in_thread, _value, learn, written
from tests.unit.cli.test_duplicates import HEAD, row
from tests.unit.learning.test_addresses import judged
from tests.unit.learning.test_located import case, history


def town(seed: int, days: int = 0) -> tuple[list[Located], list[Named]]:
    """A history in which one case in twelve says another again, so many days later."""
    cases, named = history(seed)
    alone = [case(f"{n}z", n * 0.8, -3_000.0 - n * 300, "bench") for n in range(900)]
    later = [replace(each, opened_at=each.opened_at + timedelta(days=days)) for each in [*cases, *alone]]
    return sorted(later, key=lambda each: each.opened_at), named


def located_files(folder: Path, name: str, seed: int, days: int = 0, *, by_lot: bool = False) -> tuple[object, ...]:
    """The options for a history; `by_lot`: what was named is no more than chance."""
    cases, named = town(seed, days)
    if by_lot:
        ways = random.Random(seed)
        named = [Named(f"{n}b", f"{n}a") for n in range(300) if ways.random() < 0.4]
    heading = tuple(HEAD)
    cases_file = written(folder / f"{name}.csv", heading, [tuple(map(str, row(each))) for each in cases])
    pairs_file = written(folder / f"{name}-pairs.csv", ("dup_case", "ref_case"), [tuple(pair) for pair in named])
    return "located", "--cases", cases_file, "--pairs", pairs_file


def addresses_file(path: Path, pairs: Sequence[Pair]) -> tuple[object, ...]:
    rows = [(pair.one, pair.other, pair.label or "") for pair in pairs]
    return "addresses", "--pairs", written(path, ("a", "b", "label"), rows)


def elsewhere(text: str) -> str:
    """The same kind of address in a town of other names."""
    return text.translate(str.maketrans("槐白紫望青柳麓云松竹梅兰", "杏朱碧临泉榆峰霞桐苇桃菊")).replace("溪市", "湾市")


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "SETTINGS", {**learning.SETTINGS, "max_iter": 8})


async def refreshed(database: str, keeper: Keeper) -> Models:
    pool = await open_pool(database, size=1)
    try:
        await keeper.refresh(pool)
        return keeper.current
    finally:
        await pool.close()


async def test_located_cases_are_learned_swapped_in_and_a_worse_model_does_not_serve(
    city_url: str, tmp_path: Path
) -> None:
    keeper, run = Keeper(), partial(_in_thread, learn, city_url)
    good = located_files(tmp_path, "good", 1)
    dry = await run(*good, "--dry-run")
    assert (dry.exit_code, "nothing was kept" in dry.output) == (0, True), dry.output
    assert (await refreshed(city_url, keeper)).located is None
    first = await run(*good)
    assert first.exit_code == 0, first.output
    for figure in ("the later one flagged", "the pair itself found", "flagged of all"):
        assert figure in first.output
    current = await refreshed(city_url, keeper)
    assert isinstance(current.located, LocatedModel)
    assert "lamp" in current.located.kinds
    assert f"{current.versions['located']} is in service" in first.output
    assert "serves already" in (await run(*good)).output
    worse = await run(*located_files(tmp_path, "lot", 2, days=90, by_lot=True))
    assert worse.exit_code == 0, worse.output
    assert "kept, but not in service" in worse.output
    assert "rows new to both" in " ".join(worse.output.split())
    assert (await refreshed(city_url, keeper)) is current


async def test_a_located_model_of_a_later_time_takes_over_and_the_earlier_can_be_restored(
    city_url: str, tmp_path: Path
) -> None:
    keeper, run = Keeper(), partial(_in_thread, learn, city_url)
    await run(*located_files(tmp_path, "lot", 1, by_lot=True))
    first = (await refreshed(city_url, keeper)).versions["located"]
    better = await run(*located_files(tmp_path, "better", 2, days=90))
    assert better.exit_code == 0, better.output
    second = (await refreshed(city_url, keeper)).versions["located"]
    assert second != first
    assert f"{second} is in service" in better.output
    listed = (await run("list")).output
    assert listed.count("located") == 2
    assert first in listed
    restored = await run("restore", "located", first[:6])
    assert restored.exit_code == 0, restored.output
    assert (await refreshed(city_url, keeper)).versions["located"] == first


@pytest.mark.usefixtures("few_trees")
async def test_address_texts_are_learned_swapped_in_and_a_worse_model_does_not_serve(
    city_url: str, tmp_path: Path
) -> None:
    keeper, run = Keeper(), partial(_in_thread, learn, city_url)
    taught = judged()[:144]
    good = addresses_file(tmp_path / "good.csv", taught)
    first = await run(*good)
    assert first.exit_code == 0, first.output
    assert "macro-F1 of the labels" in first.output
    current = await refreshed(city_url, keeper)
    assert isinstance(current.addresses, AddressModel)
    said = current.addresses.sketch("云溪市青石区海棠路8号海棠苑6幢2室")
    assert current.addresses.judge(said, current.addresses.sketch("沙洲路3号沙洲苑"))[0] == "different"
    ways = random.Random(5)
    lot = [Pair(elsewhere(pair.one), elsewhere(pair.other), ways.choice(LABELS)) for pair in taught]
    worse = await run(*addresses_file(tmp_path / "lot.csv", lot))
    assert worse.exit_code == 0, worse.output
    assert "kept, but not in service" in worse.output
    assert "144 rows new to both" in " ".join(worse.output.split())
    assert (await refreshed(city_url, keeper)) is current
    listed = (await run("list")).output
    assert listed.count("addresses") == 2
    bad = await _value(city_url, "SELECT version FROM models ORDER BY id DESC LIMIT 1")
    assert (await run("restore", "addresses", bad)).exit_code == 0
    assert (await refreshed(city_url, keeper)).versions["addresses"] == bad


async def test_bytes_that_are_no_model_leave_the_one_before_in_service(city_url: str, tmp_path: Path) -> None:
    keeper = Keeper()
    await _in_thread(learn, city_url, *located_files(tmp_path, "good", 1))
    before = (await refreshed(city_url, keeper)).located
    for kind in ("located", "addresses"):
        await put(city_url, model(kind, b"rubbish"))
    after = await refreshed(city_url, keeper)
    assert after.located is before is not None
    assert after.addresses is None


@pytest.mark.parametrize("number", ["13912345678", "13900005678"])
async def test_no_number_of_a_person_is_kept_as_a_kind(city_url: str, tmp_path: Path, number: str) -> None:
    cases, named = town(1)
    rows = [tuple(map(str, row(replace(each, kind=f"{each.kind} {number}")))) for each in cases]
    files = (
        written(tmp_path / "c.csv", tuple(HEAD), rows),
        written(tmp_path / "p.csv", ("dup_case", "ref_case"), [tuple(pair) for pair in named]),
    )
    result = await _in_thread(learn, city_url, "located", "--cases", files[0], "--pairs", files[1])
    assert result.exit_code == 0, result.output
    current = (await refreshed(city_url, Keeper())).located
    assert current is not None
    assert not any(number in kind for kind in current.kinds)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("0b", "0a")], "p.csv: 1 pairs of these cases are too few to learn from; 50 at least"),
        ([("0b", "0b")], "p.csv, line 2: ref_case 0b is named for itself"),
        ([(f"{n}b", f"{n + 9}a") for n in range(60)], "no pair lies within reach"),
    ],
)
async def test_pairs_that_teach_nothing_are_told(
    city_url: str, tmp_path: Path, pairs: list[tuple[str, str]], said: str
) -> None:
    cases = written(tmp_path / "c.csv", tuple(HEAD), [tuple(map(str, row(each))) for each in town(1)[0]])
    named = written(tmp_path / "p.csv", ("dup_case", "ref_case"), pairs)
    result = await _in_thread(learn, city_url, "located", "--cases", cases, "--pairs", named)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("长江路1号", "长江路", "near")], "x.csv, line 2: label near is none of different, partial, same"),
        ([("长江路1号", "长江路", "")], "x.csv, line 2: label is empty"),
        ([("长江路1号", "长江路", "same")] * 9, "x.csv: pairs of each of different, partial, same are needed"),
    ],
)
async def test_address_pairs_that_teach_nothing_are_told(
    city_url: str, tmp_path: Path, rows: list[tuple[str, str, str]], said: str
) -> None:
    result = await _in_thread(
        learn, city_url, "addresses", "--pairs", written(tmp_path / "x.csv", ("a", "b", "label"), rows)
    )
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


async def test_columns_may_be_called_otherwise(city_url: str, tmp_path: Path) -> None:
    cases, named = town(1)
    heading = ("工单号", *HEAD[1:])
    files = (
        written(tmp_path / "c.csv", heading, [tuple(map(str, row(each))) for each in cases]),
        written(tmp_path / "p.csv", ("后案", "ref_case"), [tuple(pair) for pair in named]),
    )
    ours = tmp_path / "ours.toml"
    ours.write_text('[columns]\ncase_enquiry_id = "工单号"\ndup_case = "后案"\n', encoding="utf-8")
    given = ("located", "--cases", files[0], "--pairs", files[1])
    result = await _in_thread(learn, city_url, *given, "--mapping", ours, "--dry-run")
    assert result.exit_code == 0, result.output
    missing = await _in_thread(learn, city_url, *given)
    assert missing.exit_code == 1
    assert "c.csv, line 1: case_enquiry_id is no column of this file" in " ".join(missing.output.split())
