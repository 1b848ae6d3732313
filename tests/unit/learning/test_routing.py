"""Units are proposed by what was handled before; what is known of a role in one area serves another."""

import random
from datetime import date, timedelta

import pytest

from dispatch.intake.shares import Row
from dispatch.intake.units import UnitModel
from dispatch.learning.routing import fit
from dispatch.learning.unit_names import abbreviates, read_names, renames

AREAS = ("荷花社区", "松林社区", "河东社区", "河西社区", "望江社区")
MATTERS = {"乱扔垃圾": "环卫站", "占道经营": "综合执法队", "路面破损": "交通运输局"}
COLUMNS = ("community", "matter")
START = date(2026, 1, 1)
RENAMED = START + timedelta(days=60)


def unit_of(community: str, matter: str, day: date) -> str:
    """Roads are one bureau's; the rest has a unit in each community, whose name gains a suffix one day."""
    role = MATTERS[matter]
    if role.endswith("局"):
        return role
    suffix = "（云川街道办事处）" if day >= RENAMED and community == "荷花社区" else ""
    return f"{community.removesuffix('社区')}{role}{suffix}"


def handled(days: range, seed: int = 1) -> list[Row]:
    ways, rows = random.Random(seed), list[Row]()
    for n in days:
        day = START + timedelta(days=n)
        for _ in range(6):
            community, matter = ways.choice(AREAS), ways.choice(list(MATTERS))
            rows.append(
                {
                    "community": community,
                    "matter": matter,
                    "time": day.isoformat(),
                    "unit": unit_of(community, matter, day),
                }
            )
    return rows


def fitted(rows: list[Row]) -> UnitModel:
    return fit(rows, COLUMNS, "unit", "time")


def test_what_was_handled_before_is_proposed_first() -> None:
    router, new = fitted(handled(range(100))), handled(range(100, 110), seed=2)
    ranked = router.rank(new)
    right = [best[0][0] == row["unit"] for best, row in zip(ranked, new, strict=True)]
    assert sum(right) / len(right) > 0.95
    assert all(best[0][1] >= best[1][1] for best in ranked)


def test_a_kind_never_met_in_an_area_goes_to_the_role_that_has_it_elsewhere() -> None:
    ways = random.Random(3)
    areas = [f"{first}{second}社区" for first in "松竹梅兰菊" for second in "林园山溪湾"]
    matters = [f"第{n}类" for n in range(12)]
    rows: list[Row] = []
    for n in range(400):
        community, matter = ways.choice(areas), ways.randrange(12)
        role = ("环卫站", "综合执法队", "网格站")[matter % 3]
        unit = f"{community.removesuffix('社区')}{role}"
        day = (START + timedelta(days=n // 5)).isoformat()
        rows.append({"community": community, "matter": matters[matter], "time": day, "unit": unit})
    met = {(row["community"], row["matter"]) for row in rows}
    known = {row["unit"] for row in rows}
    new = [
        (community, matter, unit)
        for community in areas
        for n, matter in enumerate(matters)
        if (community, matter) not in met
        and (unit := f"{community.removesuffix('社区')}{('环卫站', '综合执法队', '网格站')[n % 3]}") in known
    ]
    ranked = fitted(rows).rank([{"community": community, "matter": matter} for community, matter, _ in new])
    right = [best[0][0] == unit for best, (_, _, unit) in zip(ranked, new, strict=True)]
    assert len(new) > 50
    assert sum(right) / len(right) > 0.75


def test_a_name_that_took_over_is_found_with_its_day_and_is_proposed() -> None:
    rows = handled(range(100))
    router = fitted(rows)
    found = {each.old: each for each in renames(rows, router.tables.names, COLUMNS, "unit", "time")}
    assert set(found) == {"荷花环卫站", "荷花综合执法队"}
    assert found["荷花环卫站"].new == "荷花环卫站（云川街道办事处）"
    assert RENAMED <= date.fromisoformat(found["荷花环卫站"].since) < RENAMED + timedelta(days=10)
    (best,) = router.rank([{"community": "荷花社区", "matter": "乱扔垃圾"}])
    assert best[0][0] == "荷花环卫站（云川街道办事处）"


def test_offices_of_two_areas_with_one_name_are_not_one() -> None:
    names = read_names(["城管办（坑头）", "城管办（碧湖）", "城管办"], {"area": {"坑头街道", "碧湖街道"}})
    assert len(set(names.role.tolist())) == 1
    assert len({names.units[n] for n in range(2)}) == 2
    assert renames(
        [{"u": u, "t": "2026-01-01", "a": a} for u, a in (("城管办（坑头）", "坑头街道"), ("城管办（碧湖）", "碧湖街道"))],
        read_names(["城管办（坑头）", "城管办（碧湖）"], {"a": {"坑头街道", "碧湖街道"}}), ("a",), "u", "t",
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("城建办", "城建办公室", True), ("城建办", "城管办", False), ("办", "办公室", False), ("PWD", "PWDx", False)],
)
def test_short_forms_are_known(one: str, other: str, same: bool) -> None:
    assert abbreviates(one, other) == abbreviates(other, one) == same
