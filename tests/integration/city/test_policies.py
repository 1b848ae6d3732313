"""Rows for an area, for a level of units and from a law give real clocks their limits."""

from pathlib import Path
from typing import Any

from dispatch.city.archive import pack
from dispatch.city.files import CONFIG
from tests.harness.town import Town, load_city, principal, report, town

ROWS = """
[[policy]]
id = "old-town"
clock = "close"
area = "990101"
limit = "2wd"
mode = "day_end"

[[policy]]
id = "of-streets"
clock = ["sign"]
level = 3
limit = "4h"
mode = "day_end"

[[policy]]
id = "by-law"
clock = "contact"
citation = "云川市热线条例 第九条"
limit = "12h"
mode = "day_end"
"""
# A street lamp in the district 990101 and one outside it.
LAMP = {"category": "S090401", "text": "路灯不亮"}


async def clocks(at: Town, case_no: str) -> list[Any]:
    _, answer = await at.get(f"/cases/{case_no}/deadlines/explain", principal("supervisor", "supervision"))
    return list(answer["deadlines"])


async def test_area_level_and_law_decide_the_limits_of_a_case(database_url: str, redis_url: str, folder: Path) -> None:
    (folder / "policies.toml").write_text((CONFIG / "policies.toml").read_text("utf-8") + ROWS, "utf-8")
    await load_city(database_url, pack(folder))
    async with town(database_url, redis_url, loaded=True) as at:
        seen = {}
        for district in ("990101", "990103"):
            caller = {"name": "张三丰", "phone": f"138{district}99"}
            _, answer = await at.send(report(**LAMP, location={"area_code": f"{district}001"}, caller=caller))
            assert answer["area"] == f"{district}001", answer
            seen[district] = {each["clock"]: each for each in await clocks(at, answer["case_no"])}
        assert (seen["990101"]["close"]["limit_text"], seen["990101"]["close"]["rule"]) == ("2wd", "old-town")
        assert seen["990103"]["close"]["limit_text"] == "5wd"
        for each in seen.values():
            assert (each["contact"]["limit_text"], each["contact"]["citation"]) == ("12h", "云川市热线条例 第九条")
            assert each["close"]["citation"] == ""
        _, answer = await at.send(report(category="E0110"))
        signed = {each["unit"]: each["rule"] for each in await clocks(at, answer["case_no"]) if each["clock"] == "sign"}
        levels = {unit: at.services.cities.current.units.units[unit].level for unit in signed}
        assert 3 in levels.values(), levels
        assert {unit for unit, rule in signed.items() if rule == "of-streets"} == {
            u for u, n in levels.items() if n == 3
        }
