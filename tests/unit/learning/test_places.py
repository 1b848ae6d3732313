"""How far candidates are to be believed, learned from the gazetteer that gives them."""

from random import Random

import pytest

from dispatch.learning.places import PARTS, learn, part_of
from gridmap.gazetteer import Entry, Gazetteer


def town(seed: int = 1) -> list[Entry]:
    """Shops along ten roads, each road in one district, numbered from west to east; every third shop bears a name that others bear."""
    ways = Random(seed)
    roads = [f"{one}{other}路" for one in "槐柳桐枫竹" for other in "花叶"]
    found = []
    for road, each in enumerate(roads):
        for number in sorted(ways.sample(range(1, 400), 80)):
            own = "".join(ways.sample("安康福禄和顺吉庆丰盈德义", 3))
            name = "便民商店" if number % 3 == 0 else f"{own}茶馆"
            found.append(Entry(name, f"{each}{number}号", f"9901{road // 3:02d}", 116 + number / 1e4, 33 + road / 50))
    return found


@pytest.fixture(scope="module")
def learned() -> Gazetteer:
    places = town()
    return Gazetteer(places, learn(places))


def test_a_house_by_its_number_is_believed_and_a_name_that_many_bear_is_not(learned: Gazetteer) -> None:
    asked = town()[0]
    assert learned.find(asked.address)[0].confidence > 0.9
    assert learned.find("便民商店")[0].confidence < 0.5


def test_beliefs_are_frequencies(learned: Gazetteer) -> None:
    new, sure, right = town(seed=2), 0.0, 0
    for entry in new:
        found = learned.find(entry.address, limit=1)[0]
        sure += found.area_confidence
        right += found.area == entry.area
    assert sure / len(new) == pytest.approx(right / len(new), abs=0.05)


def test_a_place_falls_into_the_same_part_wherever_it_stands() -> None:
    parts = [part_of(entry.name, entry.address) for entry in town()]
    assert parts == [part_of(entry.name, entry.address) for entry in town()]
    assert set(parts) == set(range(PARTS))
