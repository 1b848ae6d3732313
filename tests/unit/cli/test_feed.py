"""`dispatch replay` and `dispatch demo`: help by example, a table that adds up, a refusal in one line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.generator.matters import Generated, Truth
from connectors.history.account import Account, Answer, Unbalanced
from dispatch import cli_feed
from dispatch.cli import main
from dispatch.cli_feed import Judged, account_table, batches

MAPPING = """
[file]
kind = "csv"
[time]
zone = "Asia/Shanghai"
formats = ["%Y-%m-%d %H:%M:%S"]
[report]
channel = "'history'"
external_id = "id"
received_at = "at"
text = "text"
"""


class Port:
    """Takes every report in as a case of its own; remembers by which key."""

    keys: tuple[str, ...] = ()
    outcome = "opened"

    def __init__(self, _client: object, _url: str, key: str) -> None:
        type(self).keys += (key,)

    async def submit(self, reports: Sequence[dict[str, Any]]) -> Sequence[Answer]:
        body = {"outcome": self.outcome, "lead_unit": "u"}
        return [{"status": 201, "body": {**body, "case_no": report["external_id"]}} for report in reports]

    async def close(self, items: Sequence[object]) -> Sequence[Answer]:
        return [{"status": 200, "body": {}} for _ in items]


@pytest.fixture
def history(tmp_path: Path) -> list[str]:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "h.csv").write_text(
        "id,at,text\n1,2026-01-05 08:00:00,路灯不亮\n2,2026-01-05 09:00:00,井盖松动\n3,,没有时间\n"
    )
    return ["replay", str(tmp_path / "h.csv"), "--mapping", str(tmp_path / "m.toml"), "--fast"]


@pytest.mark.parametrize("command", ["replay", "demo"])
def test_help_shows_examples(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert "DISPATCH_API_KEY" in shown
    assert f"  dispatch {command} " in shown


def test_a_replay_prints_an_account_that_adds_up(history: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_feed, "HttpReplayPort", Port)
    done = CliRunner().invoke(main, history, env={"DISPATCH_API_KEY": "from-environment"})
    assert done.exit_code == 0, done.output
    assert Port.keys[-1] == "from-environment"
    for line in (("read", "3"), ("opened", "2"), ("not sent, without received_at", "1"), ("sum", "3")):
        assert any(line[0] in shown and line[1] in shown for shown in done.output.splitlines())


def test_an_account_that_does_not_add_up_ends_with_an_error(
    history: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgetful(*_: object, **__: object) -> Account:
        raise Unbalanced("rows read", 3, 2)

    monkeypatch.setattr(cli_feed, "replay", forgetful)
    done = CliRunner().invoke(main, [*history, "--key", "k"])
    assert done.exit_code == 1
    assert "3 rows read, 2 found again" in done.output


def test_without_a_key_nothing_is_sent(history: list[str]) -> None:
    assert CliRunner().invoke(main, history, env={"DISPATCH_API_KEY": ""}).exit_code == 2


def test_a_mapping_with_faults_is_told_in_one_line(history: list[str], tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING.replace('text = "text"', 'texte = "text"'))
    done = CliRunner().invoke(main, [*history, "--key", "k"])
    assert done.exit_code == 1
    assert "texte" in done.output
    assert "Traceback" not in done.output


def test_a_demo_is_judged_against_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_feed, "HttpReplayPort", Port)
    done = CliRunner().invoke(main, ["demo", "--count", "3", "--burst", "4", "--key", "k"])
    assert done.exit_code == 0, done.output
    assert "7 reports, 7 cases" in done.output


def told(matter: str, verdict: Any, spoiled: str | None = None) -> Generated:
    return Generated({}, Truth(matter, verdict, None), spoiled)


def answer(case_no: str | None, outcome: str = "attached", *, status: int = 201, suggested: bool = False) -> Answer:
    return {"status": status, "body": {"case_no": case_no, "outcome": outcome, "match": {"suggested": suggested}}}


def test_a_merge_into_another_matter_is_false_and_a_case_too_many_is_missed() -> None:
    judged = Judged()
    judged.enter(
        [told("a", "new"), told("a", "joined"), told("b", "new"), told("a", "repeat"), told("a", "joined")],
        [answer("1", "opened"), answer("1"), answer("1"), answer("2", "opened"), answer("3", "opened", suggested=True)],
    )
    assert (judged.attached, judged.false_merges, judged.missed, judged.missed_suggested) == (2, 1, 2, 1)
    assert judged.confusion["joined", "suggested"] == 1


def test_a_refused_report_is_lost_unless_it_was_spoiled_on_purpose() -> None:
    judged = Judged()
    judged.enter([told("a", "none", "nothing_said"), told("b", "new")], [answer(None, status=400)] * 2)
    assert judged.lost == 1


def test_the_account_table_counts_every_heading_once() -> None:
    account = Account(read=4, already=1, closed_rows=1)
    account.outcomes["opened"] += 1
    account.quarantined["text missing"] += 1
    account.refused["400 bad-input"] += 1
    account.closings["409 action_not_allowed"] += 1
    account.balance()
    names = [str(cell) for cell in account_table(account).columns[0].cells]
    counts = [str(cell) for cell in account_table(account).columns[1].cells]
    assert dict(zip(names, counts, strict=True))["sum"] == "4"
    assert "closing refused: 409 action_not_allowed" in names


def test_batches_are_full_but_the_last() -> None:
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
