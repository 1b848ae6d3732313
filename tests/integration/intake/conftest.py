"""What tests of intake share: batches over HTTP, a second replica, the words that were sealed, and a city set up otherwise."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from dispatch.casework import record
from dispatch.city.model import Automatic
from dispatch.people.keyring import aad
from dispatch.people.principal import Principal
from tests.harness.town import CONNECTOR, Town, town

SendBatch = Callable[..., Awaitable[list[tuple[int, dict[str, Any]]]]]
Replica = Callable[[], AbstractAsyncContextManager[Town]]
Switch = Callable[..., None]
Words = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture
def send_batch(a_town: Town) -> SendBatch:
    """POST /reports/batch; status and body of every line."""

    async def send(
        lines: Sequence[dict[str, Any] | bytes], who: Principal = CONNECTOR
    ) -> list[tuple[int, dict[str, Any]]]:
        body = b"\n".join(line if isinstance(line, bytes) else msgspec.json.encode(line) for line in lines)
        headers = {**a_town.acts_as(who), "Content-Type": "application/x-ndjson"}
        async with a_town.http.post(f"{a_town.url}/api/v1/reports/batch", data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            fates = [msgspec.json.decode(line) for line in (await answer.read()).splitlines()]
        assert [fate["index"] for fate in fates] == list(range(len(lines)))
        return [(fate["status"], fate["body"]) for fate in fates]

    return send


@pytest.fixture
def replica(redis_url: str, a_town: Town) -> Replica:
    """A second service on the same database, with the same clock."""

    @asynccontextmanager
    async def another() -> AsyncIterator[Town]:
        async with town(a_town.database_url, redis_url, clock=a_town.clock, loaded=True) as made:
            yield made

    return another


@pytest.fixture
def words_of(a_town: Town) -> Words:
    """The sealed words of a report, opened."""

    async def opened(receipt_no: str) -> dict[str, Any]:
        row = (
            await a_town.rows(
                "SELECT t.* FROM texts t JOIN reports r ON r.id = t.report_id AND r.case_id = t.case_id WHERE r.receipt_no = $1",
                receipt_no,
            )
        )[0]
        keys = await record.case_keys(a_town.services.pool, a_town.services.keyring, [row["case_id"]])
        document: dict[str, Any] = msgspec.json.decode(
            keys[row["case_id"]].open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"]))
        )
        return document

    return opened


@pytest.fixture
def switch(a_town: Town) -> Switch:
    """Switches automatic steps on and off (`switch(match=False)`)."""

    def switched(**steps: bool) -> None:
        cities = a_town.services.cities
        old = cities.current
        on = {name: getattr(old.automatic, name) for name in Automatic.__struct_fields__} | steps
        cities.current = replace(old, automatic=Automatic(**on))

    return switched
