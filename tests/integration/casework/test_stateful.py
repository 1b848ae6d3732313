"""Whatever people, citizens and clocks do in whatever order, two at a time: what must always be true is true after each step."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dispatch.casework.registry import ACTIONS
from dispatch.casework.sweeping import HEARD
from dispatch.people.principal import Principal
from tests.harness.town import START, Town, principal, report, town
from tests.integration.casework.always import BEYOND_THE_BOUND, examine
from tests.integration.casework.bodies import BODY, EXPLAINED, GOOD
from tests.integration.casework.people import WHO, account
from tests.integration.casework.walks import desk_call
from tests.integration.emergency.orders import end, start

PLACES = [{"lon": 116.19 + 0.004 * i, "lat": 33.13} for i in range(3)]
CALLERS = [None, *({"name": f"市民{i}", "phone": f"1390000000{i}"} for i in range(2))]
CATEGORIES = ["E0506", "E0110", None]
UNITS = ["drainage", "gas", "s-990101001", "water-affairs", "c-990101001001", "labour-inspection"]
TEXTS = ["路口有情况请来处理一下", "闻到燃气味了快来人"]
# As long as monthly partitions are there.
HORIZON = START + timedelta(days=60)
# Where somebody stands who has every task below in reach.
# What an action is about is picked by a number, before anything is waited for: so a run can be repeated.
PICKS = st.integers(0, 10**6)
# What nobody does for a unit that is not theirs: they sign for it, and look at a number to call it.
OF_ITS_OWN = frozenset({"sign_off", "reveal"})
ABOVE_ALL = {"handler": principal("handler", "city"), "unit_head": principal("unit_head", "city")}


# Open cases that an emergency still holds for, though none is in force, or a clock still counts by it.
STILL_RAISED = """
    SELECT c.case_no FROM cases c JOIN emergency_cases m ON m.case_id = c.id WHERE c.is_open AND m.lowered_at IS NULL
    UNION ALL
    SELECT c.case_no FROM cases c JOIN deadlines d ON d.case_id = c.id
    WHERE c.is_open AND d.status = 'running' AND d.rule LIKE 'emergency:%'"""
TURNS = 20


class Machine(RuleBasedStateMachine):
    """One run of events on a service that has seen the runs before it."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], at: Town) -> None:
        super().__init__()
        self.do, self.at = run, at
        self.numbers: list[str] = []
        self.receipts: list[str] = []
        self.emergencies: list[int] = []
        self.clocks: dict[int, Any] = {}

    @rule(
        place=st.sampled_from(PLACES),
        caller=st.sampled_from(CALLERS),
        category=st.sampled_from(CATEGORIES),
        text=st.sampled_from(TEXTS),
        held=st.booleans(),
    )
    def report(
        self, place: dict[str, float], caller: dict[str, str] | None, category: str | None, text: str, held: bool
    ) -> None:
        made = report(location=place, caller=caller, category=category, text=text)
        if held:
            status, answer = self.do(desk_call(self.at, report=made))
            answer = answer["report"]
        else:
            status, answer = self.do(self.at.send(made))
        assert status == 201, answer
        self.receipts.append(answer["receipt_no"])
        if answer["case_no"] not in self.numbers:
            self.numbers.append(answer["case_no"])

    @rule(nth=st.integers(0, 5), action=st.sampled_from(sorted(BODY)), pick=PICKS)
    def try_anything(self, nth: int, action: str, pick: int) -> None:
        if self.numbers:
            self.do(self._act(self.numbers[nth % len(self.numbers)], action, pick))

    @rule(nth=st.integers(0, 5), choice=st.integers(0, 40), pick=PICKS)
    def go_on(self, nth: int, choice: int, pick: int) -> None:
        if self.numbers:
            self.do(self._go_on(self.numbers[nth % len(self.numbers)], [choice], pick))

    @rule(nth=st.integers(0, 5), one=st.integers(0, 40), other=st.integers(0, 40), pick=PICKS)
    def two_at_once(self, nth: int, one: int, other: int, pick: int) -> None:
        if self.numbers:
            self.do(self._go_on(self.numbers[nth % len(self.numbers)], [one, other], pick))

    async def _go_on(self, number: str, choices: list[int], pick: int) -> None:
        """Some of the actions that are possible, at once."""
        _, case = await self.at.get(f"/cases/{number}", WHO["rule"])
        possible = case["allowed_actions"]
        if possible:
            await asyncio.gather(*(self._act(number, possible[choice % len(possible)], pick) for choice in choices))

    async def _act(self, number: str, action: str, pick: int) -> None:
        body = BODY[action] | self._told(action, pick)
        status, case = await self.at.get(f"/cases/{number}", WHO["rule"])
        assert status == 200
        who: Principal = WHO[action]
        version = case["version"]
        if ACTIONS[action].of_unit:
            who = ABOVE_ALL[next(iter(who.roles))]
            live = [a for a in case["assignments"] if a["ended_at"] is None] or case["assignments"][-1:]
            if not live:
                return
            task = live[pick % len(live)]
            body, version = body | {"assignment": task["id"]}, task["version"]
            if action in OF_ITS_OWN:
                signs = "labour" if action == "sign_off" and pick % 3 == 0 else task["unit"]
                who = principal(next(iter(who.roles)), signs)
        status, answer = await self.at.act(number, action, who, version=version, **body)
        assert status in (200, 400, 404, 409, 412), (action, status, answer)
        assert status in (200, 404) or "allowed_actions" in answer, (action, answer)

    def _told(self, action: str, pick: int) -> dict[str, Any]:
        """What differs from one time to the next."""
        body: dict[str, Any] = {}
        if "unit" in BODY[action] or action == "hand_down":
            body["unit"] = UNITS[pick % len(UNITS)]
        if "units" in BODY[action]:
            body["units"] = [UNITS[pick % len(UNITS)]]
        if action in ("merge", "dismiss"):
            body["other"] = self.numbers[pick % len(self.numbers)]
        if action in ("attach", "detach", "retract"):
            body["receipt_no"] = self.receipts[pick % len(self.receipts)]
        if action == "close":
            body |= GOOD if pick % 2 else EXPLAINED
        if action == "sign_off":
            body |= {"approve": bool(pick % 4), "note": "请补充依据"}
        if action == "tell":
            body["kind"] = ("progress", "question")[pick % 2]
        return body

    @rule(nth=st.integers(0, 20), text=st.sampled_from(TEXTS))
    def supplement(self, nth: int, text: str) -> None:
        if self.receipts:
            self.do(self._supplement(self.receipts[nth % len(self.receipts)], text))

    async def _supplement(self, receipt: str, text: str) -> None:
        url = f"{self.at.url}/api/v1/reports/{receipt}/supplements"
        async with self.at.http.post(url, json={"text": text}, headers=self.at.acts_as(WHO["accept"])) as answer:
            assert answer.status in (200, 201), await answer.text()

    @rule(minutes=st.sampled_from([1, 25, 40, 180, 1500]))
    def travel(self, minutes: int) -> None:
        if self.at.clock.at < HORIZON:
            self.at.clock.travel(timedelta(minutes=minutes))

    @rule(urgency=st.sampled_from(["urgent", "critical"]), limit=st.sampled_from([None, "1h", "3d"]))
    def declare(self, urgency: str, limit: str | None) -> None:
        limits = {"close": limit, "reply": limit} if limit else {}
        self.emergencies.append(self.do(start(self.at, categories=["event"], urgency=urgency, limits=limits))["id"])

    @rule(nth=st.integers(0, 5))
    def end(self, nth: int) -> None:
        if self.emergencies:
            self.do(end(self.at, self.emergencies.pop(nth % len(self.emergencies))))

    @rule()
    def sweep(self) -> None:
        self.do(self.at.sweep())

    @rule()
    def fire(self) -> None:
        self.do(self.at.fire())
        assert self.do(self.at.value("SELECT count(*) FROM deadlines WHERE next_at <= $1", self.at.clock.at)) == 0
        assert self.do(self.at.rows(BEYOND_THE_BOUND, self.at.clock.at)) == []

    def teardown(self) -> None:
        """The next run begins without emergencies, and no case is more urgent than it would be without."""
        for id in self.emergencies:
            self.do(end(self.at, id))
        self.at.clock.travel(HEARD)
        # The service sweeps too, and leaves a case that somebody holds to a later turn.
        for _ in range(TURNS):
            self.do(self.at.sweep())
            if not self.do(self.at.rows(STILL_RAISED)):
                break
        self.do(self._check())
        assert self.do(self.at.rows(STILL_RAISED)) == []

    @invariant()
    def nothing_is_broken(self) -> None:
        self.do(self._check())

    async def _check(self) -> None:
        async with self.at._owner() as connection:
            self.clocks = await examine(connection, self.clocks)


def explore(database_url: str, redis_url: str, examples: int, steps: int) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        at = runner.run(stack.enter_async_context(town(database_url, redis_url)))
        runner.run(account(at, "w1", "handler", "drainage"))
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
    explore(database_url, worker_redis_url, 20, 25)


# After each step the whole record is made again: five cities take a fifth of the time that one with five times the record would.
@pytest.mark.long
@pytest.mark.parametrize("city", range(5))
def test_what_must_always_be_true_is_true_after_thousands_of_steps(
    database_url: str, worker_redis_url: str, city: int
) -> None:
    explore(database_url, worker_redis_url, 20, 60)
