"""No personal value leaves the vault: the main job over a real process, then everything it wrote and said is searched."""

import re
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dispatch.people.people import People
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool
from tests.faults.service import Ground, Service, ground, serving
from tests.harness.town import KEYRING, REPLY, archive, load_city
from tests.integration.casework.bodies import GOOD

NAME = "司马云川"
PHONES = ("19912345678", "19912345679", "19912345680", "19912345681", "01062345678")
IDENTITY = "110101199003070038"
CARD = "6222021234567890128"
WORDS = (
    f"我叫{NAME}，电话+86 199 1234 5679，也可打１９９１２３４５６８０或199-1234-5681，办公室(010)6234-5678，"
    f"身份证{IDENTITY}，卡号6222 0212 3456 7890 128，路口积水很深"
)
PERSONAL = (NAME, *PHONES, IDENTITY, CARD)


def found_in(text: str) -> list[str]:
    """The personal values that a text holds, however they are written."""
    plain = unicodedata.normalize("NFKC", text)
    packed = re.sub(r"(?<=\d)[ ()-]{1,2}(?=\d)", "", plain)
    return [value for value in PERSONAL if value in plain or value in packed]


def test_the_search_itself_finds_every_value() -> None:
    assert set(found_in(WORDS + PHONES[0])) == set(PERSONAL)


@pytest.fixture
async def scene(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[Service, Ground]]:
    """A service in a process of its own on the servers of the run."""
    keys = tmp_path / "keys.json"
    keys.touch(mode=0o600)
    keys.write_text(KEYRING.to_json())
    await load_city(database_url, archive())
    laid = await ground(database_url, redis_url, KEYRING)
    environment = {
        "DISPATCH_DATABASE_URL": database_url,
        "DISPATCH_REDIS_URL": redis_url,
        "DISPATCH_KEYRING_FILE": str(keys),
    }
    with serving(tmp_path / "log", environment=environment) as service:
        yield service, laid


class Talk:
    """Requests to the service; keeps every answer that is not the desk's own look at a case."""

    def __init__(self, http: aiohttp.ClientSession, service: Service, ground: Ground) -> None:
        self.http, self.service, self.ground = http, service, ground
        self.said: list[str] = []
        self.requests: set[str] = set()

    async def __call__(self, method: str, path: str, key: str, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        async with self.http.request(method, self.service.url + path, headers=headers, **more) as answer:
            self.said.append(await answer.text())
            self.requests.add(answer.headers["X-Request-Id"])
            return answer.status, await answer.json(content_type=None)

    async def act(self, case_no: str, action: str, key: str, **body: Any) -> None:
        of_unit = "SELECT a.version FROM assignments a JOIN cases c ON c.lead_assignment_id = a.id WHERE c.case_no = $1"
        of_case = "SELECT version FROM cases WHERE case_no = $1"
        version = await self.ground.value(of_unit if action in ("sign", "reply") else of_case, case_no)
        where = f"/api/v1/cases/{case_no}/actions/{action}"
        status, answer = await self("POST", where, key, json=body, headers={"If-Match": f'"{version}"'})
        assert status == 200, answer


async def key_of(ground: Ground, role: str, unit: str) -> str:
    pool = await open_pool(ground.database_url, size=1)
    try:
        return (await People(pool, ground.keyring, SystemClock()).keys.create("test", role, unit, ["demo"], [role]))[1]
    finally:
        await pool.close()


async def test_no_personal_value_is_in_logs_events_messages_figures_refusals_or_any_table(
    scene: tuple[Service, Ground],
) -> None:
    service, ground = scene
    units = {"handler": "drainage", "reviewer": "dispatch", "followup": "hotline", "commander": "city"}
    keys = {role: await key_of(ground, role, unit) for role, unit in units.items()}
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{service.url}/api/v1/live") as ws:
        await ws.send_json({"type": "auth", "token": keys["commander"]})
        await ws.send_json({"type": "subscribe", "feeds": ["cases", "escalations"]})
        await ws.receive()
        talk = Talk(http, service, ground)
        number = await main_job(talk, keys)
        await refusals(talk, keys)
        messages = [await ws.receive_str(timeout=10)]
        while '"closed"' not in messages[-1] or number not in messages[-1]:
            messages.append(await ws.receive_str(timeout=10))
        async with http.get(f"{service.url}/metrics") as answer:
            figures = await answer.text()
    assert found_in("\n".join(messages)) == []
    assert found_in(figures) == []
    assert [text for text in talk.said if found_in(text)] == []
    service.end()
    assert found_in(service.journal.read_text()) == []
    lines = service.events("request")
    assert {line["request_id"] for line in lines} >= talk.requests
    assert "dispatch_log_redactions_total 0.0" in figures, "a line had to be stripped of a number"
    for table, rows in await everything(ground):
        assert found_in(rows) == [], table


async def main_job(talk: Talk, keys: dict[str, str]) -> str:
    """A report with personal data everywhere they can be, to its end; the number of its case."""
    made = {
        "channel": "demo",
        "external_id": "p-1",
        "category": "E0506",
        "title": f"{PHONES[1]} 来电",
        "text": WORDS,
        "location": {"lon": 116.19, "lat": 33.13, "address": f"找{NAME} {PHONES[2]}"},
        "caller": {"name": NAME, "phone": PHONES[0]},
    }
    status, answer = await talk("POST", "/api/v1/reports", talk.ground.key, json=made)
    assert (status, answer["lead_unit"]) == (201, "drainage")
    where = f"/api/v1/reports/{answer['receipt_no']}/supplements"
    assert (await talk("POST", where, talk.ground.key, json={"text": WORDS}))[0] == 201
    number: str = answer["case_no"]
    await talk.act(number, "sign", keys["handler"])
    await talk.act(number, "note", keys["handler"], note=WORDS)
    await talk.act(number, "tell", keys["handler"], kind="question", told=WORDS)
    status, _ = await talk("GET", f"/api/v1/cases/{number}/dialogue?internal=true", keys["handler"])
    # Who works on the case reads what was said, names too; numbers are masked there as well.
    assert (status, set(found_in(talk.said.pop())) - {NAME}) == (200, set())
    await talk.act(number, "reply", keys["handler"], **REPLY | {"note": WORDS, "answer": WORDS})
    await talk.act(number, "approve", keys["reviewer"])
    await talk.act(number, "close", keys["followup"], note=WORDS, **GOOD)
    return number


async def refusals(talk: Talk, keys: dict[str, str]) -> None:
    """Requests that are refused for what stands beside the personal data, or in their place."""
    base = {"channel": "demo", "external_id": "p-2", "text": WORDS}
    for wrong in (
        {"caller": {"name": NAME, "phone": 19912345678}},
        {"caller": {"name": NAME, "phone": PHONES[0], "age": 7}},
        {"caller": {"name": f"{NAME}\x00", "phone": PHONES[0]}},
        {"caller": {"name": NAME, "phone": PHONES[0] * 9}},
        {"external_id": "p-1"},
    ):
        status, _ = await talk("POST", "/api/v1/reports", talk.ground.key, json={**base, **wrong})
        assert 400 <= status < 500
    status, _ = await talk("GET", f"/api/v1/cases?q={PHONES[0]}", keys["followup"])
    # Who may read the case reads what was said, names too; numbers are masked there as well.
    assert (status, set(found_in(talk.said.pop())) - {NAME}) == (200, set())


async def everything(ground: Ground) -> list[tuple[str, str]]:
    """Every table as text; bytes that are text are read as such."""
    tables = await ground.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    contents = []
    for table in tables:
        rows = await ground.rows(f'SELECT * FROM "{table["relname"]}"')
        values = [value for row in rows for value in row.values()]
        text = [v.decode("utf-8", "ignore") if isinstance(v, bytes) else str(v) for v in values]
        contents.append((table["relname"], "\n".join(text)))
    return contents
