"""A year of citizens' messages in Chinese, without place, category and number, through the demo city."""

import time
from pathlib import Path

import pytest

from dispatch.cli_feed import replay_file
from tests.acceptance.service import accounted, counts, key_of, serving, shared, show

ROWS = 3_961


async def test_no_message_is_lost_and_what_nobody_can_classify_goes_to_a_person(
    database_url: str, redis_url: str, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    history = shared(pytestconfig, "messages/stream.csv")
    mapping: Path = pytestconfig.rootpath / "config" / "mappings" / "messages.toml"
    async with serving(database_url, redis_url) as at:
        key = await key_of(at, "history", "replayer")
        began = time.monotonic()
        account = await replay_file(history, mapping, at.url, key, fast=True)
        took = time.monotonic() - began
        assert account.outcomes.total() == account.read == ROWS
        assert await accounted(at, "history") == (ROWS, ROWS, 0)
        with capsys.disabled():
            shares = {name: count / ROWS for name, count in account.outcomes.items()}
            show("messages", {"reports a second": ROWS / took, **shares, "suggested": account.suggested / ROWS})
        cases = await at.value("SELECT count(*) FROM cases")
        assert cases == ROWS - account.outcomes["attached"] - account.outcomes["reopened"]
        # Without a category only a person can send it on: each of these cases waits at the dispatch desk with a clock.
        assert account.outcomes["triage"] == cases
        waiting = (
            "SELECT count(*) FROM cases WHERE state = 'triage' AND owner_unit = 'dispatch' AND next_due_at IS NOT NULL"
        )
        assert await at.value(waiting) == cases
        before = await counts(at)
        again = await replay_file(history, mapping, at.url, key, fast=True)
        assert again.already == ROWS
        assert await counts(at) == before
