"""Messages without a place: the words decide, as the backtest says they would."""

import asyncio
import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dispatch.cli import main
from dispatch.intake.alike import Texts
from dispatch.intake.candidates import TOGETHER
from dispatch.intake.models import Models
from dispatch.intake.rarity import signed
from dispatch.intake.weighed import Weighed
from dispatch.learning import tables
from dispatch.learning.pairs import learned
from tests.harness.matters import Message, messages, pairs
from tests.harness.town import Town, principal, report
from tests.integration.desk.desk import ask

OPERATOR = principal("operator", "hotline")
LEAK = "银杏公寓三单元电梯停运已经一个星期，老人下不了楼，请尽快修好。"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Messages and judged pairs as a city's files."""
    folder = tmp_path_factory.mktemp("history")
    with (folder / "messages.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("message", "caller", "time", "topic", "detail"))
        writer.writerows((name, "", "", said.title, said.text) for name, said in messages().items())
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("message_a", "message_b", "label"))
        writer.writerows((pair.one, pair.other, pair.label) for pair in pairs())
    return folder / "messages.csv", folder / "pairs.csv"


def read(files: tuple[Path, Path]) -> Texts:
    """What is learned from the files."""
    said = tables.messages(files[0])
    return learned(said, tables.pairs(files[1], said, judged=True), said)


def message(said: Message, caller: int) -> dict[str, Any]:
    who = {"name": "市民", "phone": f"139{caller:08}"}
    return report(category=None, location=None, title=said.title, text=said.text, caller=who)


async def test_pairs_get_the_verdicts_that_the_backtest_said(
    a_town: Town, history: tuple[Path, Path], tmp_path: Path
) -> None:
    seen = await _compare(a_town, history, tmp_path, 60)
    assert {("joined", False), ("new", False)} <= seen


async def test_two_hundred_real_pairs_get_the_verdicts_that_the_backtest_said(a_town: Town, tmp_path: Path) -> None:
    folder = Path(__file__).parents[4] / "shared" / "data" / "messages"
    if not folder.exists():
        pytest.skip("needs the messages of ../shared/data")
    seen = await _compare(a_town, (folder / "stream.csv", folder / "duplicate_pairs.csv"), tmp_path, 200)
    assert {("joined", False), ("new", True), ("new", False), ("topic", False), ("facet", False)} <= seen


async def _compare(town: Town, files: tuple[Path, Path], folder: Path, most: int) -> set[tuple[str, bool]]:
    """Sends both messages of pairs spread over the file, one pair after the other; what came of them."""
    out = folder / "out.csv"
    given = ["--messages", str(files[0]), "--pairs", str(files[1]), "--train-pairs", str(files[1])]
    result = CliRunner().invoke(main, ["backtest", "match", *given, "--out", str(out)])
    assert result.exit_code == 0, result.output
    judged = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    with files[0].open(encoding="utf-8-sig", newline="") as file:
        said = {row["message"]: Message(row["topic"], row["detail"]) for row in csv.DictReader(file)}
    texts = read(files)
    town.services.models.current = Models(pairs=texts)
    words_of = tables.messages(files[0])
    seen, unled = set(), 0
    for n, row in enumerate(judged[:: max(1, len(judged) // most)][:most]):
        _, first = await town.send(message(said[row["message_a"]], 2 * n))
        status, found = await ask(town, "POST", "/preview", OPERATOR, message(said[row["message_b"]], 2 * n + 1))
        assert status == 200, found
        leading, ways = (
            Weighed(words_of[row["message_b"]], texts.rarity).leading,
            signed(words_of[row["message_a"]].ways),
        )
        led = sum(leading.get(run, 0.0) for run in ways) >= TOGETHER * texts.rarity.most
        unled += row["verdict"] == "same" and not led
        expected = _expected(row["verdict"], round(float(row["score"]), 3), texts, town) if led else ("new", False)
        match = found["match"]
        assert (match["verdict"], match["suggested"]) == expected, (row, match)
        if match["case_no"] is not None:
            assert match["case_no"] == first["case_no"]
            assert (match["label"], match["score"]) == (row["verdict"], pytest.approx(float(row["score"]), abs=1e-3))
        seen.add(expected)
        # Out of the way of the next pair.
        await town.rows("DELETE FROM case_runs")
    # Hardly any of what is one matter shares no rare run of title or name, so that nothing leads from one to the other.
    assert unled <= 0.02 * most
    return seen


def _expected(label: str, score: float, texts: Texts, town: Town) -> tuple[str, bool]:
    """What follows from what the words say; the rules of `intake.match` for another person's message without a place or kind."""
    rules = town.services.cities.current.matching
    if label == "topic":
        return ("topic", False) if score >= 0.1 else ("new", False)
    if label == "diff" or score < rules.suggest:
        return "new", False
    if label == "facet":
        return "facet", False
    return ("joined", False) if score >= max(texts.pairs.sure, rules.suggest) else ("new", True)


async def test_one_matter_in_two_peoples_words_is_one_case(a_town: Town, history: tuple[Path, Path]) -> None:
    a_town.services.models.current = Models(pairs=read(history))
    said = messages()
    _, first = await a_town.send(message(said["白鹭苑电梯停运1"], 1))
    _, other = await a_town.send(message(said["紫金公馆电梯停运1"], 2))
    _, again = await a_town.send(message(said["白鹭苑电梯停运2"], 3))
    assert (again["match"]["verdict"], again["case_no"]) == ("joined", first["case_no"])
    assert other["case_no"] != first["case_no"]
    assert await a_town.value("SELECT people FROM cases WHERE case_no = $1", first["case_no"]) == 2


async def test_what_is_learned_serves_without_a_restart_and_is_named_in_the_explanation(
    a_town: Town, history: tuple[Path, Path]
) -> None:
    given = ["--messages", str(history[0]), "--pairs", str(history[1]), "--database", a_town.database_url]
    result = await asyncio.to_thread(lambda: CliRunner().invoke(main, ["learn", "pairs", *given]))
    assert result.exit_code == 0, result.output
    _, before = await a_town.send(message(messages()["白鹭苑电梯停运1"], 1))
    await a_town.services.models.refresh(a_town.services.pool)
    _, after = await a_town.send(message(messages()["云溪府电梯停运1"], 2))
    version = a_town.services.models.current.versions["pairs"]
    told = [
        (await a_town.get(f"/cases/{case['case_no']}/explain", principal("dispatcher", "dispatch")))[1]["reports"][0]
        for case in (before, after)
    ]
    assert [(each["models"].get("pairs"), each["match"]["texts"]) for each in told] == [
        (None, "shipped"),
        (version, version),
    ]


async def test_before_anything_is_learned_here_words_alone_suggest_and_join_nothing(a_town: Town) -> None:
    _, first = await a_town.send(message(Message("银杏公寓电梯停运", LEAK), 1))
    _, again = await a_town.send(message(Message("银杏公寓三单元电梯停运", LEAK), 2))
    assert (again["match"]["verdict"], again["match"]["suggested"]) == ("new", True)
    assert again["match"]["case_no"] == first["case_no"] != again["case_no"]
    assert again["match"]["score"] > 0.9


async def test_copies_that_come_at_once_are_one_case(a_town: Town, history: tuple[Path, Path]) -> None:
    town = a_town
    town.services.models.current = Models(pairs=read(history))
    found = await asyncio.gather(*(town.send(message(Message("银杏公寓电梯停运", LEAK), n)) for n in range(1, 21)))
    assert len({answer["case_no"] for _, answer in found}) == 1
    assert await town.value("SELECT count(*) FROM cases") == 1


async def test_who_said_nothing_much_is_taken_for_nobody(a_town: Town) -> None:
    """Empty or very short words lead to no case, however often they come."""
    for n, text in enumerate(("喂", "你好", "。。。", "喂", "你好")):
        _, answer = await a_town.send(message(Message("", text), n))
        assert (answer["match"]["verdict"], answer["match"]["case_no"]) == ("new", None)
    assert await a_town.value("SELECT count(*) FROM case_runs") == 0


async def test_another_persons_tip_off_meets_no_case_by_its_words(a_town: Town) -> None:
    await a_town.send(message(Message("银杏公寓电梯停运", LEAK), 1))
    _, secret = await a_town.send(message(Message("银杏公寓电梯停运", LEAK), 2) | {"kind": "tipoff"})
    assert secret["match"]["verdict"] == "new"
    _, again = await a_town.send(message(Message("银杏公寓电梯停运", LEAK), 3))
    assert again["case_no"] != secret["case_no"]


async def test_the_operator_sees_what_a_repeat_says_that_was_not_known(
    a_town: Town, history: tuple[Path, Path]
) -> None:
    a_town.services.models.current = Models(pairs=read(history))
    await a_town.send(message(Message("银杏公寓电梯停运", LEAK), 1))
    said = f"{LEAK}今天早上有人被关在里面了。"
    _, shown = await ask(a_town, "POST", "/preview", OPERATOR, message(Message("银杏公寓电梯停运", said), 2))
    assert shown["match"]["verdict"] == "joined"
    assert [said[a:b] for a, b in shown["match"]["unsaid"]] == ["今天早上有人被关在里面了"]
    _, answer = await a_town.send(message(Message("银杏公寓电梯停运", said), 2))
    assert answer["match"]["unsaid"] == shown["match"]["unsaid"]


async def test_who_says_that_it_is_still_not_solved_is_shown_their_own_case(a_town: Town) -> None:
    _, first = await a_town.send(message(Message("银杏公寓电梯停运", LEAK), 1))
    for text, again, case_no in (
        ("上次反映的事情还没解决，请你们催一下", ["还没解决", "上次反映", "催一下"], first["case_no"]),
        ("想了解一下办理居住证需要什么材料", [], None),
    ):
        _, shown = await ask(a_town, "POST", "/preview", OPERATOR, message(Message("", text), 1))
        assert (sorted(shown["again"]), shown["match"]["case_no"]) == (sorted(again), case_no)
    _, another = await ask(a_town, "POST", "/preview", OPERATOR, message(Message("", "上次反映的事情还没解决"), 2))
    assert another["match"]["case_no"] is None


async def test_so_many_on_one_case_are_told_to_whoever_can_look_at_each_doubling(a_town: Town) -> None:
    city = a_town.services.cities.current
    a_town.services.cities.current = replace(city, matching=msgspec.structs.replace(city.matching, alarm=3))
    told = "SELECT recipient FROM notices WHERE topic = 'gathering' ORDER BY recipient"
    for n in range(1, 7):
        await a_town.send(report(caller={"name": "市民", "phone": f"139{n:08}"}))
        expected = 0 if n < 3 else 2 if n < 6 else 4
        assert len(await a_town.rows(told)) == expected, n
    assert {row["recipient"] for row in await a_town.rows(told)} == {"unit:*", "unit:dispatch"}
    await a_town.send(report(caller={"name": "市民", "phone": "13900000006"}))
    assert len(await a_town.rows(told)) == 4
