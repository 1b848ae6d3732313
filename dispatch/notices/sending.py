"""Sending notices to webhooks: at least once; by the notice's id a receiver knows a repetition."""

import asyncio
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import aiohttp
import asyncpg
import msgspec
import structlog
from prometheus_client import Counter

from dispatch.notices.errors import NoticeError
from dispatch.notices.outbound import ATTEMPT_S, Answer, Outbound
from dispatch.notices.webhooks import place, signed_headers
from dispatch.people.errors import PeopleError
from dispatch.people.keyring import Keyring, Sealed
from dispatch.store.clock import Clock
from dispatch.store.statements import load

if TYPE_CHECKING:
    from asyncpg import Record

SQL = load(__file__, "notices")
BATCH = 20
# Sending and recording a batch is over long before; then another process may try.
LEASE = timedelta(seconds=4 * ATTEMPT_S)
# Waits after the first, second … failed attempt: about three days in all; then the notice is given up.
DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# Up to this share is added by chance, so that what failed together is not tried together.
JITTER = 0.2
# A receiver that failed is left alone for so long with everything else, too.
PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=24)
# Standard Webhooks asks for less than 20 kB.
BODY_BYTES = 20_000

GONE = 410
ASKS_TO_WAIT = frozenset((429, 503))

log = structlog.get_logger()


class Sender:
    """Every process may run one: notices are claimed with `SKIP LOCKED` under a lease."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        outbound: Outbound,
        keyring: Keyring,
        clock: Clock,
        counted: Counter,
        *,
        poll_s: float = 5.0,
        random: Random | None = None,
    ) -> None:
        """`counted` has the labels medium and result (sent, retry, failed)."""
        self._pool = pool
        self._outbound = outbound
        self._keyring = keyring
        self._clock = clock
        self._counted = counted
        self._poll_s = poll_s
        self._random = random or Random()
        self._hinted = asyncio.Event()

    def hint(self) -> None:
        """A notice was committed: do not wait for the next poll."""
        self._hinted.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; an outage of the database is waited out."""
        while not stop.is_set():
            self._hinted.clear()
            sent = 0
            try:
                sent = await self.once()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("sending_interrupted", error=type(error).__name__)
            except Exception:
                # A driver in the middle of losing its server can fail in ways of its own: the next turn begins anew.
                log.exception("sending_failed")
            if not sent:
                await self._wait(stop)

    async def once(self) -> int:
        """Try a batch of what is due, and say how many were tried. Raises what the database raises."""
        now = await self._now()
        rows = await self._pool.fetch(SQL.claim, now, BATCH, now + LEASE)
        # Those that are under way finish even if the database fails one of them.
        for fault in await asyncio.gather(*(self._attempt(row, now) for row in rows), return_exceptions=True):
            if fault is not None:
                raise fault
        return len(rows)

    async def _attempt(self, row: "Record", now: datetime) -> None:
        if row["webhook"] is None:
            await self._give_up(row, "webhook disabled")
            return
        try:
            answer = await self._post(row, now)
        except (aiohttp.ClientError, TimeoutError, NoticeError, PeopleError) as error:
            await self._retry(row, type(error).__name__, PAUSE)
            return
        if 200 <= answer.status < 300:
            await self._pool.execute(SQL.sent, row["id"], await self._now())
            self._count("sent")
        elif answer.status == GONE:
            await self._disable(row)
        elif answer.status in ASKS_TO_WAIT and answer.retry_after:
            await self._retry(row, str(answer.status), min(answer.retry_after, LONGEST_PAUSE), asked=True)
        else:
            # A refusal of this one notice says nothing about the others.
            await self._retry(row, str(answer.status), PAUSE if answer.status >= 500 or answer.status == 429 else None)

    async def _post(self, row: "Record", now: datetime) -> Answer:
        """Signed with the database's time: a receiver refuses what a machine whose clock is off would say."""
        secret = self._keyring.open(Sealed(row["key_id"], row["nonce"], row["sealed"]), place(row["webhook"]))
        body = payload(row["topic"], row["created_at"], row["body"].encode())
        headers = signed_headers(secret.decode(), f"msg_{row['id'].hex}", now, body)
        return await self._outbound.post(row["url"], body, {**headers, "Content-Type": "application/json"}, now)

    async def _retry(self, row: "Record", reason: str, pause: timedelta | None, *, asked: bool = False) -> None:
        """Try again later; `pause` holds back what else waits for this receiver, and this one if it `asked` for it."""
        now = await self._now()
        if pause:
            await self._pool.execute(SQL.hold_back, row["recipient"], now + pause)
        if row["attempts"] > len(DELAYS):
            await self._give_up(row, reason)
            return
        delay = DELAYS[row["attempts"] - 1] * (1 + JITTER * self._random.random())
        await self._pool.execute(SQL.retry, row["id"], now + (max(delay, pause) if asked and pause else delay))
        self._count("retry")
        log.info("notice_retry", notice=str(row["id"]), to=row["recipient"], attempt=row["attempts"], reason=reason)

    async def _disable(self, row: "Record") -> None:
        """410: the receiver wants nothing any more."""
        now = await self._now()
        await self._pool.execute(SQL.disable, row["webhook"], now)
        await self._pool.execute(SQL.give_up, row["recipient"], now)
        self._count("failed")
        log.error("webhook_disabled", webhook=row["webhook"])

    async def _give_up(self, row: "Record", reason: str) -> None:
        await self._pool.execute(SQL.failed, row["id"], await self._now())
        self._count("failed")
        log.error("notice_failed", notice=str(row["id"]), to=row["recipient"], attempts=row["attempts"], reason=reason)

    async def _now(self) -> datetime:
        return await self._clock.now(self._pool)

    def _count(self, result: str) -> None:
        self._counted.labels("webhook", result).inc()

    async def _wait(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (stop, self._hinted)]
        await asyncio.wait(waits, timeout=self._poll_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def payload(topic: str, at: datetime, body: bytes) -> bytes:
    """What is sent: `type`, `timestamp`, `data`; a body too large for a webhook gives way to the number of its case."""
    made = msgspec.json.encode({"type": topic, "timestamp": at, "data": msgspec.Raw(body)})
    if len(made) < BODY_BYTES:
        return made
    case_no = msgspec.json.decode(body).get("case_no")
    return msgspec.json.encode({"type": topic, "timestamp": at, "data": {"case_no": case_no, "truncated": True}})
