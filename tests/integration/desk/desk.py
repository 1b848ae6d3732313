"""Who sits at the desk in these tests, and how they ask."""

from typing import Any

from dispatch.people.principal import Principal
from tests.harness.town import Town, principal

OPERATOR = principal("operator", "hotline")
DISPATCHER = principal("dispatcher", "dispatch")
HEAD = principal("unit_head", "drainage")
SUPERIOR = principal("unit_head", "water-affairs")
HANDLER = principal("handler", "drainage")
SUPERVISOR = principal("supervisor", "supervision")
STREET_OF_PLACE = "990103001"


async def ask(town: Town, method: str, path: str, who: Principal, body: Any = None, **headers: str) -> tuple[int, Any]:
    """A request below /api/v1; the status and the body."""
    sent = town.acts_as(who) | {name.replace("_", "-"): value for name, value in headers.items()}
    async with town.http.request(method, f"{town.url}/api/v1{path}", json=body, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status != 204 else None


def writing(**fields: Any) -> dict[str, Any]:
    """An article of the drainage unit about standing water, valid for a year."""
    made: dict[str, Any] = {
        "title": "路面积水怎么报修",
        "text": "排水中心全天受理路面积水，一般两小时内到场抽排。",
        "unit": "drainage",
        "valid_until": "2027-11-18T00:00:00+08:00",
    }
    return made | fields


async def written(town: Town, **fields: Any) -> int:
    """The id of a new article."""
    status, made = await ask(town, "POST", "/knowledge", DISPATCHER, writing(**fields))
    assert status == 201, made
    number: int = made["id"]
    return number


def announcing(case_no: str, **fields: Any) -> dict[str, Any]:
    """A burst main in the whole district of the test's place."""
    made: dict[str, Any] = {
        "kind": "incident",
        "title": "主供水管爆裂",
        "areas": ["9901"],
        "starts_at": "2026-11-18T09:00:00+08:00",
        "expected_end": "2026-11-18T18:00:00+08:00",
        "spoken": "主管道爆裂，正在抢修，预计18时恢复供水。",
        "case_no": case_no,
    }
    return made | fields


async def announced(town: Town, case_no: str, **fields: Any) -> int:
    """The id of a new incident."""
    status, made = await ask(town, "POST", "/incidents", DISPATCHER, announcing(case_no, **fields))
    assert status == 201, made
    number: int = made["id"]
    return number
