"""Three services on one database, thousands of deadlines within seconds, and kills: each is told of once, none is lost.

A receiving process counts by the ids of notices against a list that was written before anything was due.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random, SystemRandom

import msgspec
import pytest

from tests.faults.chaos import Misfortunes, Replicas, until
from tests.faults.reckoning import Reckoning
from tests.faults.service import Ground, embedded_ground
from tests.faults.storm import STEPS, Receiver, Storm, check_record, gather, receiving, take

# Of every case: close, sign, reply, contact.
CLOCKS = 4
POISONED_CASES = 3
A_SECOND = timedelta(seconds=1)
AHEAD, BEHIND = ("skew=10800",), ("skew=-10800",)
# What stands behind the claim: keys of the schema. Each of ALONE keeps a step from being told twice by itself; that of a notice only
# keeps twins of one event apart, and a number that was overwritten can make a step another event.
KEYS = {
    "case_events": "case_events_pkey",
    "escalations": "escalations_deadline_id_level_key",
    "notices": "notices_case_id_event_seq_recipient_medium_key",
}
ALONE = ("case_events", "escalations")


@dataclass(frozen=True)
class Place:
    """Servers of the test's own, a receiver, and the chance of a seed that is printed."""

    data: Path
    folder: Path
    ground: Ground
    receiver: Receiver
    seed: int
    random: Random

    async def clocks(self, deadlines: int) -> list[list[int]]:
        """At least so many running clocks, by case, in an order of chance."""
        environment = self.ground.environment(self.folder)
        await take(self.ground, self.folder / "intake.log", environment, -(-deadlines // CLOCKS))
        rows = await self.ground.rows(
            "SELECT array_agg(id ORDER BY id) AS ids FROM deadlines WHERE next_at IS NOT NULL GROUP BY case_id"
        )
        found = [row["ids"] for row in rows]
        self.random.shuffle(found)
        return found

    def shuffled(self, cases: Sequence[list[int]]) -> list[int]:
        """All clocks of these cases, in an order of chance."""
        ids = [number for case in cases for number in case]
        self.random.shuffle(ids)
        return ids

    async def storm(self, ids: Sequence[int], span_s: float, *poisoned: int) -> Storm:
        """These clocks will run out within `span_s` seconds that begin soon."""
        return await gather(self.ground, self.receiver, self.folder, ids, span_s=span_s, poisoned=poisoned)

    @asynccontextmanager
    async def replicas(self, *faults: Sequence[str]) -> AsyncIterator[Replicas]:
        """Services that serve, one for each set of faults."""
        environment = {**self.ground.environment(self.folder), "DISPATCH_ALLOW_PRIVATE_WEBHOOKS": "1"}
        made = Replicas(self.folder, environment, faults)
        try:
            await made.start()
            yield made
        finally:
            made.end()


@pytest.fixture
def place(data_dir: Path, tmp_path: Path) -> Iterator[Place]:
    seed = SystemRandom().randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")
    with receiving(tmp_path, seed) as receiver:
        yield Place(data_dir, tmp_path, embedded_ground(data_dir), receiver, seed, Random(seed))


@pytest.mark.parametrize(
    ("deadlines", "span_s", "kills"),
    [(1_500, 6.0, 4), pytest.param(20_000, 20.0, 12, marks=pytest.mark.long)],
)
async def test_none_is_lost_or_doubled_though_services_are_killed_and_servers_restart(
    place: Place, deadlines: int, span_s: float, kills: int, record_property: Callable[[str, object], None]
) -> None:
    """Replicas with clocks hours apart are killed and started again; some deadlines are moved or cancelled, some are poison."""
    cases = await place.clocks(deadlines + CLOCKS * POISONED_CASES)
    poison, ids = place.shuffled(cases[:POISONED_CASES]), place.shuffled(cases[POISONED_CASES:])[:deadlines]
    async with place.replicas((), AHEAD, BEHIND) as replicas:
        storm = await place.storm(ids, span_s, *poison)
        chaos = Misfortunes(storm, replicas, place.data, place.random)
        await chaos.happen(kills, contested=deadlines // 50)
        await storm.through()
    withdrawn = frozenset(chaos.withdrawn)
    found = storm.reckoned(withdrawn)
    record_property("figures", f"seed {place.seed}: {await figures(storm, chaos, found)}")
    assert (found.lost, found.doubled, found.stray, found.unsigned) == ((), (), (), 0)
    assert (found.repeated > 0, len(withdrawn) > 0, replicas.kills > kills // 2) == (True, True, True)
    await check_record(storm, withdrawn)
    replicas.check()


async def test_a_claim_that_is_broken_on_purpose_turns_the_count_red(place: Place) -> None:
    """What has to be broken before anything is told twice is four things at once.

    The lock: `claim_due` without FOR UPDATE SKIP LOCKED and `lock_cases` without FOR UPDATE. Behind it, all of KEYS: the
    number of an event in its case, one level of one deadline, one notice of one event to one recipient.
    """
    ids = place.shuffled(await place.clocks(300))
    await drop_keys(place.ground, KEYS)
    async with place.replicas(*[("unclaimed",)] * 3):
        storm = await place.storm(ids, 0.5)
        await storm.through()
    found = storm.reckoned()
    # How many depends on how often two services meet; one is enough to tell.
    assert found.doubled
    assert not found.stray


@pytest.mark.long
@pytest.mark.parametrize("kept", ALONE)
async def test_without_any_claim_each_key_of_the_schema_alone_keeps_a_step_from_being_told_twice(
    place: Place, kept: str
) -> None:
    ids = place.shuffled(await place.clocks(300))
    await drop_keys(place.ground, KEYS.keys() - {kept})
    async with place.replicas(*[("unclaimed",)] * 3):
        storm = await place.storm(ids, 0.5)
        await storm.through()
    assert not storm.reckoned().doubled


async def drop_keys(ground: Ground, tables: Iterable[str]) -> None:
    for table in tables:
        await ground.rows(f"ALTER TABLE {table} DROP CONSTRAINT {KEYS[table]}")


async def test_replicas_whose_clocks_are_hours_off_act_at_the_time_of_the_database(place: Place) -> None:
    ids = place.shuffled(await place.clocks(200))
    async with place.replicas(AHEAD, BEHIND) as replicas:
        storm = await place.storm(ids, 2.0)
        await storm.through()
    found = storm.reckoned()
    assert (found.lost, found.doubled, found.stray, found.unsigned) == ((), (), (), 0)
    await check_record(storm)
    replicas.check()


async def test_what_fell_due_while_nothing_ran_acts_in_due_order_with_its_true_due_time_on_record(place: Place) -> None:
    storm = await place.storm([case[0] for case in await place.clocks(400 * CLOCKS)], 1.0)
    await until(storm.end)
    async with place.replicas(()):
        await storm.through()
    found = storm.reckoned()
    assert (found.lost, found.doubled, found.stray) == ((), (), ())
    await check_record(storm)
    rows = [(row["at"], _planned(row["body"])) for row in await storm.ground.rows(f"SELECT at, body {STEPS}")]
    assert min(at for at, _ in rows) > storm.end
    assert len({at for at, _ in rows}) > 1, "all in one batch says nothing of the order"
    assert [planned for _, planned in sorted(rows)] == [entry.due_at for _, _, entry in storm.planned]


async def figures(storm: Storm, chaos: Misfortunes, found: Reckoning) -> str:
    """What was counted, and how late the steps were: event minus planned instant, outages included."""
    rows = await storm.ground.rows(f"SELECT at, body {STEPS} ORDER BY at")
    late = [((row["at"] - planned).total_seconds(), planned) for row in rows if (planned := _planned(row["body"]))]
    assert chaos.away
    gone, back = chaos.away
    calm = [seconds for seconds, planned in late if not gone - A_SECOND <= planned <= back + A_SECOND]
    span, took = storm.end - storm.start, (rows[-1]["at"] - storm.start).total_seconds()
    return (
        f"{len(storm.planned)} deadlines in {span.total_seconds():.0f} s, {chaos.replicas.kills} kills, "
        f"PostgreSQL away for {(back - gone).total_seconds():.1f} s: lost {len(found.lost)}, doubled {len(found.doubled)}, "
        f"withdrawn in time {len(chaos.withdrawn)}, sent again {found.repeated}; "
        f"late {_shares([seconds for seconds, _ in late])}, but for the outage of PostgreSQL {_shares(calm)}; "
        f"all had acted after {took:.1f} s ({len(late) / took:.0f}/s)"
    )


def _planned(body: bytes) -> datetime:
    return datetime.fromisoformat(msgspec.json.decode(body)["planned_at"])


def _shares(late: list[float]) -> str:
    late = sorted(late)
    return f"p50 {late[len(late) // 2]:.2f} s, p99 {late[len(late) * 99 // 100]:.2f} s, most {late[-1]:.2f} s"
