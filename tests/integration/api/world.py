"""A town with something of everything in it; what is asked of it stands in `seeds`."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from dispatch.people.permissions import Role
from dispatch.people.principal import Principal
from tests.harness.town import REPLY, Town, principal, report
from tests.integration.casework.bodies import GOOD

# Where somebody with each role works in the demo city.
UNITS: dict[Role, str] = {
    "operator": "hotline",
    "dispatcher": "dispatch",
    "handler": "drainage",
    "unit_head": "drainage",
    "reviewer": "dispatch",
    "followup": "hotline",
    "collector": "dispatch",
    "supervisor": "supervision",
    "commander": "city",
    "connector": "hotline",
    "replayer": "hotline",
    "restricted_reader": "dispatch",
    "sysadmin": "dispatch",
    "secadmin": "supervision",
    "auditor": "supervision",
}
MACHINES: frozenset[Role] = frozenset({"connector", "replayer"})
# So many places lie far enough apart; in each within the city a case of each of these kinds is one of its own.
PLACES = 1_600
KINDS = (
    "E0506",
    "E0101",
    "E0103",
    "E0106",
    "E0108",
    "E0120",
    "E0121",
    "E0125",
    "E0128",
    "E0138",
    "E0187",
    "E0302",
    "E0401",
    "E0410",
)
_numbers = itertools.count(1)


@dataclass
class Seed:
    """Parts of a request; None where the operation takes none."""

    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass
class World:
    """The town, everybody's token, and what stands in the town."""

    town: Town
    tokens: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    _opened_at: dict[str, datetime] = field(default_factory=dict)

    async def settle(self, role: Role) -> None:
        """Puts in a case with an escalation, and somebody with the role."""
        await self.case("to_sign")
        self.town.clock.travel(timedelta(minutes=31))
        await self.town.fire()
        self.tokens[role] = await (self._key if role in MACHINES else self._account)(role, UNITS[role])
        self._opened_at[role] = self.town.clock.at

    async def token(self, role: Role) -> str:
        """A token that is good now: in a long run the clock travels further than one lasts."""
        at, name = self.town.clock.at, role.replace("_", "-")
        if role not in MACHINES and at - self._opened_at[role] > timedelta(minutes=5):
            opened = await self.town.services.people.sessions.log_in(name, self.passwords[name])
            self.tokens[role], self._opened_at[role] = opened.access_token, at
        return self.tokens[role]

    async def _key(self, role: str, unit: str) -> str:
        keys = self.town.services.people.keys
        return (await keys.create("test", f"{role}-{next(_numbers)}", unit, ["demo", "app"], [role]))[1]

    async def _account(self, role: str, unit: str, name: str | None = None) -> str:
        people, name = self.town.services.people, name or role.replace("_", "-")
        first = await people.accounts.create("test", name, unit, [role], "")
        self.passwords[name] = "Seed-4711-seed"
        return (await people.sessions.change_password(name, first, self.passwords[name])).access_token

    async def case(self, state: str) -> str:
        """A new case in a state, led by the drainage unit; its number."""
        case_no = await self._opened(state)
        steps: list[tuple[str, Principal, dict[str, Any]]] = [
            ("sign", principal("handler", "drainage"), {}),
            ("reply", principal("handler", "drainage"), REPLY),
            ("approve", principal("reviewer", "dispatch"), {}),
            ("close", principal("followup", "hotline"), GOOD),
        ]
        reached = ["to_sign", "handling", "review", "followup", "closed"]
        for action, who, body in steps[: reached.index(state) if state in reached else 0]:
            status, answer = await self.town.act(case_no, action, who, **body)
            assert status == 200, answer
        return case_no

    async def _opened(self, state: str) -> str:
        """A case of its own: in a long run places come again, then about another kind of matter, and what is said of the same is taken for it."""
        while True:
            number = next(_numbers)
            lon, lat = 116.15 + number % 40 / 500, 33.12 + number // 40 % 40 / 500
            if self.town.services.cities.current.map.fix(lon, lat).area is None:
                continue  # beyond the border it would be another unit's at once
            made = report(
                category=None if state == "triage" else KINDS[number // PLACES % len(KINDS)],
                location={"lon": lon, "lat": lat},
                text=uuid4().hex if state == "triage" else f"第{number}处积水",
                caller={"name": "市民", "phone": f"199{number:08}"},
                assigned_unit=None if state == "triage" else "drainage",
            )
            status, answer = await self.town.send(made)
            assert status == 201, answer
            if answer["outcome"] != "attached":
                number_of_case: str = answer["case_no"]
                return number_of_case
