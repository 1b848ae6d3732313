"""`dispatch audit` as the administrator uses it, and what the auditor reads over HTTP."""

import asyncio
from datetime import timedelta

import asyncpg
from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.harness.town import KEYRING, Town, principal
from tests.integration.audit.test_record import signed_cases
from tests.integration.casework.people import CITIZEN, DISPATCHER
from tests.integration.casework.walks import opened

AUDITOR = principal("auditor", "city")


async def audit(town: Town, *arguments: str) -> Result:
    env = {"DISPATCH_DATABASE_OWNER_URL": town.database_url, "DISPATCH_KEYRING": KEYRING.to_json()}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["audit", *arguments], env=env))


async def test_a_clean_record_is_said_to_be_one_and_a_bent_one_ends_with_an_error(a_town: Town) -> None:
    number, _, _ = await signed_cases(a_town)
    taken = await audit(a_town, "checkpoint")
    digest = taken.output.split("\t")[-1].strip()
    clean = await audit(a_town, "verify", "--expect", digest)
    assert (clean.exit_code, "记录完整" in clean.output, "4 checkpoints" in clean.output) == (0, True, True), (
        clean.output
    )
    assert (await audit(a_town, "verify", "--expect", "00" * 32)).exit_code == 1
    assert digest in (await audit(a_town, "checkpoints")).output
    connection = await asyncpg.connect(a_town.database_url)
    try:
        await connection.execute("UPDATE case_events SET actor = 'nobody' WHERE seq = 1")
    finally:
        await connection.close()
    bent = await audit(a_town, "verify", "--case", number)
    assert (bent.exit_code, "changed" in bent.output, "1 cases" in bent.output) == (1, True, True), bent.output
    assert "there is no case" in (await audit(a_town, "verify", "--case", "none")).output


async def test_the_auditor_reads_who_looked_and_what_was_signed(a_town: Town) -> None:
    number, _, (_, last) = await signed_cases(a_town)
    await opened(a_town, caller=CITIZEN, location={"lon": 116.22, "lat": 33.14})
    for _ in range(3):
        assert (await a_town.get(f"/cases?q={CITIZEN['phone']}", DISPATCHER))[0] == 200
    status, page = await a_town.get("/audit/access?limit=2", AUDITOR)
    assert (status, len(page["items"])) == (200, 2)
    assert {row["actor"] for row in page["items"]} == {DISPATCHER.name}
    assert CITIZEN["phone"] not in str(page)
    _, rest = await a_town.get(f"/audit/access?limit=2&cursor={page['next']}", AUDITOR)
    assert len(rest["items"]) == 1
    later = (a_town.clock.at + timedelta(days=1)).isoformat().replace("+", "%2B")
    for nothing in ("actor=nobody", "action=text.unmask", f"since={later}"):
        assert (await a_town.get(f"/audit/access?{nothing}", AUDITOR))[1]["items"] == []
    _, signed = await a_town.get("/audit/checkpoints?limit=1", AUDITOR)
    assert (signed["items"][0]["digest"], bool(signed["next"])) == (last.digest, True)
    _, before = await a_town.get(f"/audit/checkpoints?cursor={signed['next']}", AUDITOR)
    assert [row["number"] for row in before["items"]] == [2, 1]
    for who in (DISPATCHER, principal("sysadmin", "city"), principal("secadmin", "city")):
        assert (await a_town.get("/audit/access", who))[0] == 403
    assert (await a_town.get(f"/cases/{number}", AUDITOR))[0] == 403
