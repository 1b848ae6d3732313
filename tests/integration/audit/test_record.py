"""What somebody with every right to the database does to the record is found."""

import asyncio

import asyncpg
import pytest

from dispatch.audit import chain, checkpoints
from dispatch.audit.chain import Verdict
from dispatch.audit.checkpoints import Checkpoint
from tests.harness.town import KEYRING, Town
from tests.integration.casework.bodies import BODY
from tests.integration.casework.people import HANDLER
from tests.integration.casework.walks import brought, elsewhere, opened

# Each has its own way to the record: one statement of a superuser, checks and triggers off; $1 is the case, $2 the one beside it.
IS = "(SELECT id FROM cases WHERE case_no = $1)"
TAMPERED = {
    "a body": (f"UPDATE case_events SET body = convert_to(replace(convert_from(body, 'UTF8'), 'drainage', 'gasworks'), 'UTF8')"
               f" WHERE case_id = {IS} AND seq = 1", "changed", 1),
    "its actor's column": (f"UPDATE case_events SET actor = 'nobody' WHERE case_id = {IS} AND seq = 2", "changed", 2),
    "its time's column": (f"UPDATE case_events SET at = at - interval '1 hour' WHERE case_id = {IS} AND seq = 2", "changed", 2),
    "a body that is none": (f"UPDATE case_events SET body = '\\x00' WHERE case_id = {IS} AND seq = 2", "changed", 2),
    "an event taken out": (f"DELETE FROM case_events WHERE case_id = {IS} AND seq = 2", "missing", 2),
    "the first event taken out": (f"DELETE FROM case_events WHERE case_id = {IS} AND seq = 1", "missing", 1),
    "two events exchanged": (
        "WITH pair AS (SELECT seq, type, actor, at, body, mac, opened_month FROM case_events"
        f" WHERE case_id = {IS} AND seq IN (1, 2)) UPDATE case_events e SET body = p.body, type = p.type, actor = p.actor, at = p.at"
        f" FROM pair p WHERE e.case_id = {IS} AND p.seq = 3 - e.seq", "reordered", 1),
    "another case's event put in": (
        f"UPDATE case_events e SET body = o.body, type = o.type, actor = o.actor, at = o.at FROM case_events o"
        f" WHERE e.case_id = {IS} AND e.seq = 1 AND o.seq = 1 AND o.case_id = (SELECT id FROM cases WHERE case_no = $2)", "reordered", 1),
    "the end cut off, head and all": (
        f"WITH last AS (DELETE FROM case_events WHERE case_id = {IS} AND seq = 4 RETURNING case_id)"
        f" UPDATE cases SET seq = 3, head = (SELECT mac FROM case_events WHERE case_id = {IS} AND seq = 3) WHERE id IN (SELECT case_id FROM last)",
        "cut_off", 4),
    "the head set back": (f"UPDATE cases SET seq = 2 WHERE id = {IS}", "cut_off", 2),
    "a case taken out": (
        f"WITH e AS (DELETE FROM case_events WHERE case_id = {IS}) DELETE FROM cases WHERE case_no = $1", "gone", None),
    "a signed head changed": (
        f"UPDATE checkpoint_heads SET head = decode(repeat('01', 32), 'hex') WHERE case_id = {IS}", "unsigned", 2),
    "a checkpoint taken out": ("WITH h AS (DELETE FROM checkpoint_heads WHERE number = 2) DELETE FROM checkpoints WHERE number = 2", "unsigned", 2),
    "a checkpoint's totals changed": ("UPDATE checkpoints SET events = events + 1 WHERE number = 3", "unsigned", 3),
}  # fmt: skip


async def taken(town: Town) -> Checkpoint:
    async with town.services.pool.acquire() as connection, connection.transaction():
        return await checkpoints.take(connection, KEYRING, town.clock.at)


async def verified(town: Town, *expected: str, case_no: str | None = None) -> Verdict:
    return await chain.verify(town.services.pool, KEYRING, case_no=case_no, expected=expected)


async def signed_cases(town: Town) -> tuple[str, str, list[Checkpoint]]:
    """Two cases, signed, one with an event after that was signed too; the service itself takes the first checkpoint when it starts."""
    async with asyncio.timeout(30):
        while not await town.value("SELECT EXISTS (SELECT FROM checkpoints)"):
            await asyncio.sleep(0.05)
    number, beside = await brought(town, "handling"), await opened(town, location=elsewhere())
    first = await taken(town)
    assert (await town.act(number, "contact", HANDLER, reached=True))[0] == 200
    return number, beside, [first, await taken(town)]


async def with_every_right(town: Town, statement: str, *values: str) -> None:
    connection = await asyncpg.connect(town.database_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement, *values[: 2 if "$2" in statement else 1 if "$1" in statement else 0])
    finally:
        await connection.close()


async def test_what_the_service_wrote_is_found_to_be_so(a_town: Town) -> None:
    number, _, taken_before = await signed_cases(a_town)
    for action in ("reply", "approve"):
        who = HANDLER if action == "reply" else None
        assert who is None or (await a_town.act(number, action, who, **BODY[action]))[0] == 200
    verdict = await verified(a_town, *(each.digest for each in taken_before))
    assert verdict.faults == []
    assert (verdict.cases, verdict.checkpoints) == (2, 3)
    assert verdict.events == await a_town.value("SELECT count(*) FROM case_events")
    assert verdict.unsigned_events == verdict.events - taken_before[-1].events > 0


@pytest.mark.parametrize("how", TAMPERED)
async def test_a_superuser_who_bends_the_record_is_found(a_town: Town, how: str) -> None:
    statement, kind, seq = TAMPERED[how]
    number, beside, _ = await signed_cases(a_town)
    await with_every_right(a_town, statement, number, beside)
    verdict = await verified(a_town)
    assert (kind, seq) in [(fault.kind, fault.seq) for fault in verdict.faults], verdict.faults
    # Whatever else follows from it concerns this case or a checkpoint, never the one beside.
    assert beside not in {fault.case_no for fault in verdict.faults}


async def test_checkpoints_cut_off_at_the_end_are_found_by_a_digest_that_was_kept_elsewhere(a_town: Town) -> None:
    number, _, (_, last) = await signed_cases(a_town)
    await with_every_right(
        a_town, "WITH h AS (DELETE FROM checkpoint_heads WHERE number = 3) DELETE FROM checkpoints WHERE number = 3"
    )
    assert (await verified(a_town)).faults == []  # the rest is consistent in itself
    (fault,) = (await verified(a_town, last.digest)).faults
    assert (fault.kind, last.digest in fault.problem) == ("unsigned", True)
    assert (await verified(a_town, case_no=number)).cases == 1


async def test_a_checkpoint_counts_the_whole_record_and_keeps_what_moved(a_town: Town) -> None:
    _, _, (first, second) = await signed_cases(a_town)
    assert (first.number, first.cases, first.moved) == (2, 2, 2)
    assert (second.number, second.cases, second.moved) == (3, 2, 1)
    assert second.events == await a_town.value("SELECT count(*) FROM case_events")
    third = await taken(a_town)
    assert (third.moved, third.events) == (0, second.events)


async def test_the_service_can_add_checkpoints_and_change_none(a_town: Town) -> None:
    await signed_cases(a_town)
    for statement in ("UPDATE checkpoints SET events = 0", "DELETE FROM checkpoint_heads"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await a_town.services.pool.execute(statement)
