"""What the city's own record teaches, as files that the commands read; nothing in them that must not leave."""

import asyncio
import csv
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from dispatch.intake.models import Models
from dispatch.learning import tables
from dispatch.learning.located import read_cases, read_named
from tests.harness.town import KEYRING, START, Town, report
from tests.integration.casework.people import CITIZEN, DISPATCHER
from tests.integration.casework.walks import brought, elsewhere, opened
from tests.integration.learning.models import classifier

OTHER = {"name": "李四", "phone": "13912345678"}


async def exported(town: Town, out: Path, *given: str) -> Result:
    days = "--since", f"{START:%Y-%m-%d}", "--until", f"{START + timedelta(days=300):%Y-%m-%d}"
    return await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ["learn", "history", "--out", str(out), "--database", town.database_url, "--by", "vera", *(given or days)],
        env={"DISPATCH_KEYRING": KEYRING.to_json(), "DISPATCH_KEYRING_FILE": ""},
        terminal_width=200,
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def sent(town: Town, **fields: Any) -> tuple[str, str]:
    """Case and receipt of a report."""
    _, answer = await town.send(report(**fields))
    return answer["case_no"], answer["receipt_no"]


async def test_what_people_put_together_and_took_apart_are_judged_pairs(a_town: Town, tmp_path: Path) -> None:
    place = elsewhere()
    one, first = await sent(a_town, caller=CITIZEN, location=place, text="荷花池公园门口积水很深过不去")
    _, joined = await sent(a_town, caller=OTHER, location=place, text="荷花池公园门口全是水")
    apart, second = await sent(
        a_town, caller=OTHER, location=elsewhere(), text="银杏公寓南门排水不畅", category="E0503"
    )
    assert (await a_town.act(apart, "merge", DISPATCHER, other=one, note="同一处"))[0] == 200
    assert (await a_town.act(one, "detach", DISPATCHER, receipt_no=joined, note="另一处"))[0] == 200
    assert (await exported(a_town, tmp_path)).exit_code == 0
    said = tables.messages(tmp_path / "messages.csv")
    assert {first, joined, second} <= said.keys()
    found = tables.pairs(tmp_path / "pairs.csv", said, judged=True)
    assert {(frozenset((p.one, p.other)), p.label) for p in found} == {
        (frozenset((first, second)), "same"),
        (frozenset((first, joined)), "diff"),
    }
    cases = read_cases(tmp_path / "located.csv")
    assert [(p.later, p.earlier) for p in read_named(tmp_path / "located_pairs.csv", cases)] == [(apart, one)]


async def test_a_pair_that_was_said_to_be_two_matters_is_judged_so(a_town: Town, tmp_path: Path) -> None:
    place = elsewhere()
    number, one = await sent(a_town, caller=CITIZEN, location=place)
    other, two = await sent(a_town, caller=OTHER, category=None, text="管道在冒水，整条街都淹了", location=place)
    assert number != other
    assert (await a_town.act(other, "dismiss", DISPATCHER, other=number, note="不是一件事"))[0] == 200
    assert (await exported(a_town, tmp_path)).exit_code == 0
    assert [set(row.values()) for row in rows(tmp_path, "pairs.csv")] == [{one, two, "diff"}]


async def test_a_text_has_the_kind_that_a_person_said_and_a_handled_case_its_unit(a_town: Town, tmp_path: Path) -> None:
    given = await brought(a_town, "closed")
    unsaid = await opened(a_town, category=None, text="管道在冒水，整条街都淹了", location=elsewhere(), caller=None)
    corrected = await opened(a_town, category=None, text="人行道的砖全松了", location=elsewhere(), caller=None)
    assert (await a_town.act(corrected, "reclassify", DISPATCHER, category="E0126", note="分类"))[0] == 200
    assert (await exported(a_town, tmp_path)).exit_code == 0
    labels = {row["case_no"]: row["label"] for row in rows(tmp_path, "texts.csv")}
    assert labels == {given: "E0506", unsaid: "", corrected: "E0126"}
    (handled,) = rows(tmp_path, "cases.csv")
    assert (handled["case_no"], handled["category"], handled["unit"]) == (given, "E0506", "drainage")
    assert handled["area"]


async def test_what_must_not_leave_stays_out(a_town: Town, tmp_path: Path) -> None:
    plain = await opened(a_town, caller=OTHER, location=elsewhere(), text="欧阳静的车被淹，请打13912345678找贾雨薇")
    hidden = await opened(a_town, caller={**CITIZEN, "confidential": True}, location=elsewhere(), text="邻居往河里倒油")
    tip = await opened(a_town, kind="tipoff", caller=CITIZEN, location=elsewhere(), text="有人收黑钱")
    erased = await opened(a_town, location=elsewhere(), text="下水道井盖丢失")
    await a_town.rows("ALTER TABLE case_keys DISABLE TRIGGER case_keys_kept")
    await a_town.rows("DELETE FROM case_keys USING cases c WHERE c.id = case_id AND c.case_no = $1", erased)
    done = await exported(a_town, tmp_path)
    assert done.exit_code == 0, done.output
    everything = "".join(
        (tmp_path / name).read_text("utf-8") for name in ("texts.csv", "messages.csv", "cases.csv", "located.csv")
    )
    for word in ("13912345678", "贾雨薇", "倒油", "黑钱", "井盖", tip):
        assert word not in everything
    assert [row["case_no"] for row in rows(tmp_path, "texts.csv")] == [plain]
    assert {plain, hidden, erased} <= {row["case_enquiry_id"] for row in rows(tmp_path, "located.csv")}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    logged = await a_town.rows("SELECT actor, action, subject FROM access_log WHERE action = 'history.export'")
    assert [tuple(row)[:2] for row in logged] == [("vera", "history.export")]


async def test_days_choose_and_nothing_is_an_empty_table(a_town: Town, tmp_path: Path) -> None:
    await opened(a_town, location=elsewhere())
    done = await exported(a_town, tmp_path, "--since", "2020-01-01", "--until", "2020-02-01")
    assert done.exit_code == 0, done.output
    assert [rows(tmp_path, name) for name in ("texts.csv", "pairs.csv", "located.csv")] == [[], [], []]
    wrong = await exported(a_town, tmp_path, "--since", "2020-02-01", "--until", "2020-01-01")
    assert (wrong.exit_code, "--since must be before --until" in wrong.output) == (1, True)


async def test_without_keys_nothing_is_written(a_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPATCH_KEYRING", "DISPATCH_KEYRING_FILE"):
        monkeypatch.delenv(name, raising=False)
    given = ["learn", "history", "--out", str(tmp_path / "out"), "--database", a_town.database_url]
    done = await asyncio.to_thread(CliRunner().invoke, main, given)
    assert done.exit_code == 1
    assert "keyring" in done.output.lower()
    assert not (tmp_path / "out").exists()


async def test_what_only_a_model_said_is_no_lesson(a_town: Town, tmp_path: Path) -> None:
    a_town.services.models.current = Models(subjects=classifier(), versions={"subjects": "learned"})
    _, answer = await a_town.send(report(category=None, text="小区附近油烟很大，噪音扰民，臭气和污水没人管"))
    assert answer["category"] == "E0126"
    assert (await exported(a_town, tmp_path)).exit_code == 0
    assert [row["label"] for row in rows(tmp_path, "texts.csv")] == [""]
