"""What people say of a place, and where the gazetteer says it is. All places are invented."""

import gc
import weakref
from dataclasses import replace

import pytest

from gridmap.gazetteer import Candidate, Entry, Gazetteer, disagreement
from gridmap.gazetteer.belief import Beliefs, Linear, Signs

# Of a plane at this latitude: 0.001 degrees are 94 m east, 111 m north.
EAST, NORTH = 116.0, 33.0


def place(name: str, address: str, east: float, north: float, area: str = "990101", *aliases: str) -> Entry:
    """A place so many thousandths of a degree from the corner of the town."""
    return Entry(name, address, area, EAST + east / 1000, NORTH + north / 1000, aliases)


TOWN = (
    place("杏林医院", "槐花路10号", 10, 20, "990101", "市一院"),
    place("育才小学", "槐花路50号", 14, 20),
    place("槐花路米市街(公交站)", "3路;12路", 16, 20),
    place("米市街菜场", "米市街7号", 16, 22),
    place("盐仓邮局", "米市街91号", 16, 30, "990102"),
    place("柳营公寓", "青屏镇柳营路120弄", 40, 60, "990103"),
    place("柳营书店", "青屏镇柳营路200号", 44, 60, "990103"),
    place("清风茶馆", "长乐路5号", 70, 20, "990101"),
    place("清风茶馆", "永安路8号", 20, 80, "990102"),
    place("望湖楼", "湖心路1号", 90, 90, "990104"),
)
AREAS = {"澄江区": "990101", "云北区": "990102", "川东区": "990103", "湖心区": "990104"}
# The odds among the likely places, so that the tests hold whatever was learned.
EVEN = Beliefs({"": Linear(Signs(0, 1, 0, -0.1, 0, 0), 0)}, {"": Linear(Signs(1, 0, 0, 0, 0, 0), 0)})


@pytest.fixture(scope="module")
def town() -> Gazetteer:
    return Gazetteer(TOWN, EVEN, AREAS)


def at(found: Candidate) -> tuple[float, float]:
    """Thousandths of a degree from the corner of the town."""
    return round((found.lon - EAST) * 1000, 2), round((found.lat - NORTH) * 1000, 2)


@pytest.mark.parametrize(
    ("text", "east", "north", "why"),
    [
        ("杏林医院", 10, 20, "name"),
        ("市一院", 10, 20, "name"),
        ("槐花路10号", 10, 20, "address"),
        ("槐花路 １０ 号", 10, 20, "address"),
        ("槐花路十号", 10, 20, "address"),
        ("【槐花路10號】附近", 10, 20, "address"),
        ("澄江区槐花路10号", 10, 20, "address"),
        ("柳营路１２０弄", 40, 60, "number"),
        ("槐花路30号", 12, 20, "number"),
        ("柳营路160号", 42, 60, "number"),
        ("槐花路与米市街交叉口", 16, 20, "crossing"),
        ("米市街、槐花路路口", 16, 20, "crossing"),
        ("12路;3路", 16, 20, "list"),
        ("１２路；３路", 16, 20, "list"),
        ("我家住在望湖楼对面,路灯坏了三天没有人修", 90, 90, "name"),
        ("市民反映槐花路50号门口有人乱停车", 14, 20, "address"),
    ],
)
def test_a_place_is_found_by_each_way_of_naming_it(
    town: Gazetteer, text: str, east: float, north: float, why: str
) -> None:
    found = town.find(text)[0]
    assert found.why == why
    assert at(found) == pytest.approx((east, north), abs=0.05)


def test_an_offset_moves_the_point_by_so_many_metres(town: Gazetteer) -> None:
    assert at(town.find("距望湖楼东200米")[0]) == pytest.approx((90 + 200 / 93.5, 90), abs=0.05)
    assert at(town.find("槐花路与米市街交叉口北侧100米")[0]) == pytest.approx((16, 20 + 100 / 110.9), abs=0.05)


def test_a_crossing_where_nothing_stands_is_half_way_between_what_is_nearest_on_both_roads() -> None:
    without_stop = Gazetteer([entry for entry in TOWN if "公交站" not in entry.name], EVEN, AREAS)
    found = without_stop.find("米市街与槐花路交叉口")[0]
    assert (at(found), found.why) == ((15.0, 21.0), "crossing")


def test_a_road_alone_is_its_middle_and_less_sure_than_a_number_on_it(town: Gazetteer) -> None:
    road, number = town.find("槐花路")[0], town.find("槐花路10号")[0]
    assert road.why == "road"
    assert 10 <= at(road)[0] <= 16
    assert town.find("米市街")[0].area_confidence < number.area_confidence


def test_a_name_of_two_places_gives_both_and_neither_is_sure(town: Gazetteer) -> None:
    found = town.find("清风茶馆")
    assert {at(each) for each in found} == {(70.0, 20.0), (20.0, 80.0)}
    assert all(each.confidence <= 0.5 for each in found)


def test_a_district_in_the_text_says_which_of_them_is_meant(town: Gazetteer) -> None:
    found = town.find("云北区清风茶馆")
    assert at(found[0]) == (20.0, 80.0)
    assert found[0].confidence > 0.8


def test_an_area_that_is_known_says_which_of_them_is_meant_also_one_above(town: Gazetteer) -> None:
    assert at(town.find("清风茶馆", near_area="990102")[0]) == (20.0, 80.0)
    assert at(town.find("清风茶馆", near_area="990101")[0]) == (70.0, 20.0)
    below = Gazetteer([replace(entry, area=f"{entry.area}001") for entry in TOWN], EVEN, AREAS)
    assert at(below.find("清风茶馆", near_area="990102")[0]) == (20.0, 80.0)


def test_what_lies_in_another_area_than_the_text_names_is_hardly_believed(town: Gazetteer) -> None:
    here, elsewhere = town.find("湖心区望湖楼")[0], town.find("川东区望湖楼")[0]
    assert here.confidence > 0.8
    assert elsewhere.confidence < 0.3


def test_a_number_between_those_of_two_areas_is_one_place() -> None:
    ends = [place("甲", "槐花路10号", 10, 20, "990101"), place("乙", "槐花路50号", 14, 20, "990102")]
    found = Gazetteer(ends, EVEN).find("槐花路30号")
    assert [at(each) for each in found] == [(12.0, 20.0)]


def test_a_name_that_stands_in_the_text_as_a_whole_goes_before_one_that_stands_there_in_part() -> None:
    both = [place("石榴公寓管理处", "", 10, 20), place("石榴公寓", "", 90, 90), *TOWN]
    assert Gazetteer(both, EVEN).find("请问石榴公寓门口的积水谁来处理")[0].name == "石榴公寓"


def test_two_characters_in_common_are_a_kind_of_their_own() -> None:
    flat = Linear(Signs(0, 0, 0, 0, 0, 0), 3)
    doubtful = {"": flat, "two characters": replace(flat, bias=-3)}
    town = Gazetteer(TOWN, Beliefs(doubtful, doubtful), AREAS)
    assert town.find("盐仓大桥")[0].confidence < 0.1
    assert town.find("老盐仓邮局")[0].confidence > 0.9


def test_a_road_that_is_not_there_is_told_by_its_town(town: Gazetteer) -> None:
    assert town.find("青屏镇新民路3号")[0].area == "990103"
    assert town.find("青屏镇茶馆")[0].area == "990103"


@pytest.mark.parametrize("text", ["", " ", "[]", "。", "不知道", "路灯不亮", "井盖坏了", "🙂", "x" * 5_000])
def test_what_names_nothing_finds_nothing(town: Gazetteer, text: str) -> None:
    assert town.find(text) == []


def test_no_more_candidates_come_than_are_asked_for(town: Gazetteer) -> None:
    assert len(town.find("清风茶馆", limit=1)) == 1


def test_an_empty_gazetteer_finds_nothing() -> None:
    assert Gazetteer((), EVEN).find("槐花路10号") == []


def test_areas_may_be_names_that_the_places_bear_themselves() -> None:
    names = {code: name for name, code in AREAS.items()}
    town = Gazetteer([replace(entry, area=names[entry.area]) for entry in TOWN], EVEN)
    assert town.find("云北区清风茶馆")[0].area == "云北区"


def test_text_and_point_disagree_only_where_the_text_is_certain_and_the_point_far(town: Gazetteer) -> None:
    sure, unsure = town.find("望湖楼"), town.find("清风茶馆")
    assert disagreement(sure, EAST + 0.09, NORTH + 0.1) == pytest.approx(1_109, abs=5)
    assert disagreement(sure, EAST + 0.09, NORTH + 0.091) is None
    assert disagreement(unsure, EAST + 0.09, NORTH + 0.1) is None
    assert disagreement([], EAST, NORTH) is None


def test_a_line_of_buses_is_no_road_that_another_line_could_end_in() -> None:
    stop = place("南站(公交站)", "12路", 30, 30)
    assert Gazetteer((*TOWN, stop), EVEN).find("1112路") == []


LETTER = "尊敬的领导您好我有一件事情想要反映希望能够尽快得到处理我们已经等了很久也打了很多次电话一直都没有人来"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("就在育才小学门口", "育才小学"),
        ("望湖门口", None),  # two characters are no place among so many others
        ("外滩那边", "外滩"),  # unless they are the whole of a name
    ],
)
def test_a_long_letter_is_read_where_it_can_name_a_place(said: str, found: str | None) -> None:
    town = Gazetteer([*TOWN, place("外滩", "", 5, 5)], EVEN, AREAS)
    candidates = town.find(f"{LETTER}{said}")
    assert (candidates[0].name if candidates else None) == found


def test_a_list_is_read_however_long_it_is() -> None:
    lines = ";".join(f"{n}路" for n in range(20, 40))
    town = Gazetteer([*TOWN, place("盐仓(公交站)", lines, 5, 5)], EVEN, AREAS)
    assert town.find(lines)[0].name == "盐仓(公交站)"


def test_what_was_asked_before_is_answered_alike_whatever_became_of_the_first_answer(town: Gazetteer) -> None:
    first = town.find("槐花路30号")
    kept = list(first)
    first.clear()
    assert kept
    assert town.find("槐花路30号") == kept


def test_a_gazetteer_of_an_earlier_city_goes_by_itself_though_it_remembers() -> None:
    """What a process has at its start is kept from the collector: a gazetteer that held itself would stay for ever."""
    earlier = Gazetteer(TOWN, EVEN, AREAS)
    assert earlier.find("槐花路30号")
    gone = weakref.ref(earlier)
    gc.disable()
    try:
        del earlier
        assert gone() is None
    finally:
        gc.enable()
