"""Whatever people, citizens and clocks do in whatever order: what must always be true is true after each step."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.harness.town import KEYRING, START, Town, principal, report, town
from tests.integration.casework.people import BODY, WHO

PLACES = [{"lon": 116.19 + 0.004 * i, "lat": 33.13} for i in range(3)]
CALLERS = [None, *({"name": f"市民{i}", "phone": f"1390000000{i}"} for i in range(2))]
CATEGORIES = ["E0506", "E0110", None]
UNITS = ["drainage", "gas", "s-990101001", "water-affairs"]
# As long as monthly partitions are there.
HORIZON = START + timedelta(days=60)

BROKEN = {
    "a key without its answer, or a report without its case": """
        SELECT k.receipt_no FROM report_keys k LEFT JOIN reports r USING (receipt_no)
        WHERE k.answer IS NULL OR k.case_id IS NULL OR r.case_id IS DISTINCT FROM k.case_id""",
    "an open case without owner or anything that will act on it": """
        SELECT c.case_no FROM cases c WHERE c.is_open AND (c.owner_unit IS NULL OR NOT EXISTS (
            SELECT FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL AND d.next_at IS NOT NULL))""",
    "a dispatched case without exactly one live lead, or another with one": """
        SELECT c.case_no FROM cases c WHERE (c.state IN ('to_sign', 'handling', 'suspended', 'review'))::int <> (
            SELECT count(*) FROM assignments a WHERE a.case_id = c.id AND a.role = 'lead' AND a.ended_at IS NULL)""",
    "a unit that got back what it had returned in the same round": """
        SELECT a.case_id FROM assignments a JOIN assignments b ON b.case_id = a.case_id AND b.unit = a.unit AND b.id > a.id AND b.round = a.round
        WHERE a.state = 'returned'""",
    "a closed case with a live clock": """
        SELECT c.case_no FROM cases c JOIN deadlines d ON d.case_id = c.id WHERE NOT c.is_open AND d.stopped_at IS NULL""",
    "a case clock that did not start at intake": """
        SELECT c.case_no FROM cases c JOIN deadlines d ON d.case_id = c.id AND d.clock = 'close' AND d.round = 1 WHERE d.started_at <> c.opened_at""",
    "a round of a case without its one limit": """
        SELECT c.case_no FROM cases c WHERE c.round <> (SELECT count(*) FROM deadlines d WHERE d.case_id = c.id AND d.clock = 'close')""",
    "a level that fired early, unplanned or after its clock had stopped": """
        SELECT e.id FROM escalations e JOIN deadlines d ON d.id = e.deadline_id
        WHERE e.fired_at < e.planned_at OR d.stopped_at < e.fired_at OR NOT EXISTS (
            SELECT FROM jsonb_array_elements(d.plan) p WHERE (p->>'at')::timestamptz = e.planned_at AND (p->>'level')::int = e.level)""",
    "steps on record that differ from the levels that fired": """
        SELECT d.id FROM deadlines d WHERE d.step <> (SELECT count(*) FROM escalations e WHERE e.deadline_id = d.id)""",
    "people counted wrongly": """
        SELECT c.case_no FROM cases c WHERE c.people <> greatest(1, (SELECT count(*) FROM case_people p WHERE p.case_id = c.id))
            AND NOT EXISTS (SELECT FROM reports r WHERE r.case_id = c.id AND r.caller_id IS NULL)""",
    "a record with a gap or an event before the one it follows": """
        SELECT e.case_id FROM (SELECT case_id, seq, at, row_number() OVER w AS nth, lag(at) OVER w AS before FROM case_events
            WINDOW w AS (PARTITION BY case_id ORDER BY seq)) AS e WHERE e.seq <> e.nth OR e.at < e.before""",
    "an event without its message": """
        SELECT c.case_no FROM cases c WHERE c.seq <> (SELECT max(seq) FROM case_events e WHERE e.case_id = c.id)""",
}

CLOCKS = """
    SELECT d.*, (SELECT count(*) FROM case_events e WHERE e.case_id = d.case_id AND e.type = 'deadline_recomputed') AS recomputed
    FROM deadlines d"""


class Machine(RuleBasedStateMachine):
    """One run of events on a service that has seen the runs before it."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], at: Town) -> None:
        super().__init__()
        self.do, self.at = run, at
        self.numbers: list[str] = []
        self.clocks: dict[int, Any] = {}

    @rule(place=st.sampled_from(PLACES), caller=st.sampled_from(CALLERS), category=st.sampled_from(CATEGORIES))
    def report(self, place: dict[str, float], caller: dict[str, str] | None, category: str | None) -> None:
        status, answer = self.do(
            self.at.send(report(location=place, caller=caller, category=category, text="路口有情况请来处理一下"))
        )
        assert status == 201, answer
        if answer["case_no"] not in self.numbers:
            self.numbers.append(answer["case_no"])

    @rule(
        nth=st.integers(0, 2),
        action=st.sampled_from(sorted(WHO)),
        unit=st.sampled_from(UNITS),
        assist=st.sampled_from(UNITS),
    )
    def try_anything(self, nth: int, action: str, unit: str, assist: str) -> None:
        if self.numbers:
            number = self.numbers[nth % len(self.numbers)]
            body = {"unit": unit, "assists": [assist]} if action == "dispatch" else {}
            self.do(self._act(number, action, BODY[action] | body))

    @rule(nth=st.integers(0, 2), choice=st.integers(0, 2), solved=st.booleans(), back=st.booleans())
    def go_on(self, nth: int, choice: int, solved: bool, back: bool) -> None:
        if self.numbers:
            self.do(self._go_on(self.numbers[nth % len(self.numbers)], choice, solved, back))

    async def _go_on(self, number: str, choice: int, solved: bool, back: bool) -> None:
        """One of the actions that are possible; a case that was returned is offered to who returned it, if `back`."""
        _, case = await self.at.get(f"/cases/{number}", WHO["dispatch"])
        action = case["allowed_actions"][choice % len(case["allowed_actions"])]
        body = dict(BODY[action])
        if action == "close":
            body["solved"] = solved
        if action == "dispatch" and back and case["assignments"]:
            body["unit"] = case["assignments"][-1]["unit"]
        await self._act(number, action, body)

    async def _act(self, number: str, action: str, body: dict[str, Any]) -> None:
        status, case = await self.at.get(f"/cases/{number}", WHO["dispatch"])
        assert status == 200
        live = [a for a in case["assignments"] if a["ended_at"] is None and a["role"] == "lead"] or case["assignments"][
            -1:
        ]
        who = principal("handler", "city") if action in ("sign", "contact", "return", "reply") else WHO[action]
        of_unit = action in ("sign", "contact", "return", "reply")
        if of_unit and not live:
            return
        version = live[0]["version"] if of_unit else case["version"]
        if of_unit:
            body = body | {"assignment": live[0]["id"]}
        status, answer = await self.at.act(number, action, who, version=version, **body)
        expected = action in case["allowed_actions"]
        assert status == 200 if expected and action not in ("dispatch", "extend") else status in (200, 409), (
            action,
            status,
            answer,
        )

    @rule(minutes=st.sampled_from([1, 25, 40, 180, 1500]))
    def travel(self, minutes: int) -> None:
        if self.at.clock.at < HORIZON:
            self.at.clock.travel(timedelta(minutes=minutes))

    @rule()
    def fire(self) -> None:
        self.do(self.at.fire())
        assert self.do(self.at.value("SELECT count(*) FROM deadlines WHERE next_at <= $1", self.at.clock.at)) == 0

    @invariant()
    def nothing_is_broken(self) -> None:
        self.do(self._check())

    async def _check(self) -> None:
        async with self.at._owner() as connection:
            for name, statement in BROKEN.items():
                assert not await connection.fetch(statement), name
            clocks = {row["id"]: row for row in await connection.fetch(CLOCKS)}
            for key, before in self.clocks.items():
                now = clocks[key]
                assert (now["started_at"], now["clock"]) == (before["started_at"], before["clock"])
                # An approved change is on record; nothing else moves a due instant.
                assert now["due_at"] == before["due_at"] or now["recomputed"] > before["recomputed"]
            self.clocks = clocks
            events = await connection.fetch("SELECT case_id, body, mac FROM case_events ORDER BY case_id, seq")
            heads: dict[int, bytes] = {}
            for event in events:
                assert KEYRING.event_mac_valid(heads.get(event["case_id"], bytes(32)), event["body"], event["mac"])
                heads[event["case_id"]] = event["mac"]
            assert {r["id"]: r["head"] for r in await connection.fetch("SELECT id, head FROM cases")} == heads


def examine(database_url: str, redis_url: str, examples: int, steps: int) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        at = runner.run(stack.enter_async_context(town(database_url, redis_url)))
        try:
            run_state_machine_as_test(
                lambda: Machine(runner.run, at),  # type: ignore[arg-type]  # it is called for a machine, whatever it is
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())


def test_what_must_always_be_true_is_true_after_every_step(database_url: str, worker_redis_url: str) -> None:
    examine(database_url, worker_redis_url, 15, 20)


@pytest.mark.long
def test_what_must_always_be_true_is_true_after_thousands_of_steps(database_url: str, worker_redis_url: str) -> None:
    examine(database_url, worker_redis_url, 100, 60)
