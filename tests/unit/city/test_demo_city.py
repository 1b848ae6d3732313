"""The demo city is whole, and of the size that a demonstration needs."""

from typing import get_args

import numpy as np
import pytest
import shapely

from dispatch.city.model import City, Role


def test_has_the_areas_of_a_city(demo: City) -> None:
    levels = [area.level for area in demo.map.areas.areas.values()]
    assert [levels.count(level) for level in (1, 2, 3, 4)] == [1, 4, 12, 40]


def test_communities_tile_the_city_without_gap_or_overlap(demo: City) -> None:
    areas = demo.map.areas.areas.values()
    communities = [area.polygon for area in areas if area.level == 4]
    (city,) = (area.polygon for area in areas if area.level == 1)
    assert shapely.coverage_is_valid(communities)
    assert shapely.equals(shapely.coverage_union_all(communities), city)


def test_is_cut_into_about_five_thousand_cells(demo: City) -> None:
    assert 4500 <= len(demo.map.cells) <= 5500
    assert len({cell.code for cell in demo.map.cells}) == len(demo.map.cells)
    assert all(cell.code.startswith(cell.area) and len(cell.code) == 15 for cell in demo.map.cells)


def test_every_device_stands_in_a_cell(demo: City) -> None:
    points = np.array([(device.lon, device.lat) for device in demo.devices.values()])
    assert (demo.map.fix_many(points) >= 0).all()


def test_has_an_account_for_every_role(demo: City) -> None:
    assert {account.role for account in demo.demo_accounts} == set(get_args(Role))


@pytest.mark.parametrize(("depth", "count"), [(3, 15), (5, 68), (7, 251)])
def test_subject_tree_has_three_levels(demo: City, depth: int, count: int) -> None:
    assert sum(each.branch == "subject" and len(each.code) == depth for each in demo.categories) == count


def test_own_claims_are_never_merged_and_delicate_matters_are_restricted(demo: City) -> None:
    by_name = {each.name: each for each in demo.categories}
    assert all(by_name[name].no_merge for name in ("拖欠工资", "工伤认定", "家暴求助"))
    assert all(by_name[name].restricted for name in ("家暴求助", "违纪线索", "校园欺凌", "困境儿童"))
    assert not by_name["路面坑洼"].no_merge
    assert not by_name["路面坑洼"].restricted
