"""Generated reports: the same from the same seed, true to what they claim, with nothing real in them."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import phonenumbers
import pytest

from connectors.generator import Generated, Generator, NoFamilies, Place, flapping, places_from
from connectors.generator.families import all_families
from connectors.generator.people import TEST_PHONES
from connectors.generator.places import metres
from connectors.generator.rubbish import SPOILS

# One category for each family, named as its most wanted name.
SUBJECTS = [(f"T{number:03d}", family.names[0], "event") for number, family in enumerate(all_families())]
FEATURES: list[dict[str, Any]] = [
    {"properties": {"code": "99", "name": "试验市", "parent": None}, "geometry": None},
    *(
        {
            "properties": {"code": f"99{number:02d}", "name": f"第{number}社区", "parent": "99"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 33.0], [x + 0.02, 33.0], [x + 0.02, 33.02], [x, 33.02], [x, 33.0]]],
            },
        }
        for number, x in enumerate(116.0 + 0.02 * step for step in range(40))
    ),
]
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def generator(seed: int = 7, **options: str) -> Generator:
    return Generator(places_from(FEATURES, 1), SUBJECTS, seed, **options)


@pytest.fixture(scope="module")
def many() -> list[Generated]:
    return list(generator().reports(5000, start=START))


def test_the_same_seed_gives_the_same_reports_and_another_seed_others() -> None:
    first, same, other = (list(generator(seed).reports(300, start=START)) for seed in (7, 7, 8))
    assert first == same
    assert [one.report["text"] for one in first if "text" in one.report] != [
        one.report["text"] for one in other if "text" in one.report
    ]


def test_two_runs_share_no_external_id() -> None:
    morning, evening = (generator(run=run) for run in ("am", "pm"))
    ids = [one.report["external_id"] for source in (morning, evening) for one in source.reports(200)]
    assert len(set(ids)) == 400


def test_there_are_forty_families_with_several_phrasings_each() -> None:
    ours = [family for family in all_families() if family.ours]
    assert len(ours) >= 40
    assert all(len(set(family.what)) >= 4 and len(family.harm) >= 2 for family in ours)
    assert generator().unmatched == ()


def test_repeats_and_what_is_not_our_business_are_about_60_percent(many: list[Generated]) -> None:
    verdicts = Counter(one.truth.verdict for one in many)
    assert 0.55 < sum(verdicts[name] for name in ("repeat", "joined", "none")) / len(many) < 0.67
    assert all(verdicts[name] > 100 for name in ("repeat", "joined", "facet", "topic", "new", "none"))


def test_every_verdict_is_true(many: list[Generated]) -> None:
    callers: dict[str, set[str]] = {}
    seen: set[str] = set()
    for one in many:
        truth, phone = one.truth, one.report.get("caller", {}).get("phone")
        match truth.verdict:
            case "repeat":
                assert truth.of == truth.matter
                assert phone in callers[truth.matter]
            case "joined":
                assert truth.of == truth.matter
                assert truth.matter in seen
            case "facet":
                assert truth.matter not in seen
                assert truth.of is not None
                assert phone in callers[truth.of]
            case "topic":
                assert truth.matter not in seen
                assert truth.of in seen
            case "new":
                assert truth.matter not in seen
                assert truth.of is None
        seen.add(truth.matter)
        callers.setdefault(truth.matter, set()).add(phone)


def test_two_matters_of_one_kin_that_are_remembered_together_are_never_near() -> None:
    source = generator()
    for _ in source.reports(2000):
        pass
    matters = [matter for matter in source._matters if matter.family.where != "none"]
    for number, matter in enumerate(matters):
        for other in matters[:number]:
            if matter.family.group == other.family.group:
                assert metres(matter.place, other.place) >= 300


def test_repeats_of_one_matter_use_changing_words(many: list[Generated]) -> None:
    told: dict[str, list[str]] = {}
    for one in many:
        told.setdefault(one.truth.matter, []).append(one.report.get("text", ""))
    most = max(told.values(), key=len)
    assert len(most) >= 10
    assert len(set(most)) / len(most) > 0.9


def test_no_slot_of_a_sentence_stays_open(many: list[Generated]) -> None:
    words = [one.report[key] for one in many for key in ("title", "text") if key in one.report]
    assert len(words) > 5000
    assert not [text for text in words if re.search(r"[{}]|None", text)]


def test_hot_spots_get_more_than_their_share(many: list[Generated]) -> None:
    streets = Counter(
        one.report["location"]["address"][:12] for one in many if "address" in one.report.get("location", {})
    )
    assert streets.most_common(1)[0][1] > 5 * sum(streets.values()) / len(streets)


def test_crossings_have_no_house_number(many: list[Generated]) -> None:
    crossings = [one for one in many if one.report.get("location", {}).get("address", "").endswith("交叉口")]
    assert len(crossings) > 100


def test_every_number_is_a_valid_mobile_number_of_the_test_range(many: list[Generated]) -> None:
    phones = {one.report["caller"]["phone"] for one in many if "caller" in one.report and one.spoiled != "bad_phone"}
    assert len(phones) > 1000
    for phone in phones:
        assert phone.startswith(TEST_PHONES)
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone, "CN"))


def test_the_numbers_in_a_text_are_named(many: list[Generated]) -> None:
    with_numbers = [one for one in many if one.numbers]
    assert len(with_numbers) > 100
    for one in many:
        digits = re.sub(r"[ -]", "", one.report.get("text", ""))
        assert re.findall(r"1\d{10}", digits) == list(one.numbers)


def test_every_kind_of_bad_field_comes_and_is_named(many: list[Generated]) -> None:
    bad = {one.spoiled: one.report for one in many if one.spoiled}
    assert bad.keys() == SPOILS.keys()
    assert bad["zero_point"]["location"]["lon"] == 0.0
    assert bad["swapped"]["location"]["lat"] > 90
    assert not {"text", "category"} & bad["nothing_said"].keys()


def test_times_rise_from_the_start_and_are_absent_without_one(many: list[Generated]) -> None:
    times = [datetime.fromisoformat(one.report["received_at"]) for one in many]
    assert times == sorted(times)
    assert times[0] == START
    assert all("received_at" not in one.report for one in islice(generator().reports(), 50))


def test_a_burst_is_one_matter_in_different_words_by_different_callers_within_metres_and_seconds() -> None:
    burst = generator().burst(500, start=START)
    assert len(burst) == 500
    assert [one.truth.verdict for one in burst] == ["new"] + ["joined"] * 499
    assert len({one.truth.matter for one in burst}) == 1
    assert len({one.report["text"] for one in burst}) == 500
    assert len({one.report["caller"]["phone"] for one in burst}) == 500
    points = [Place(one.report["location"]["lon"], one.report["location"]["lat"], "", "", "", "", "") for one in burst]
    assert max(metres(points[0], point) for point in points) < 35
    times = [datetime.fromisoformat(one.report["received_at"]) for one in burst]
    assert times[-1] - times[0] < timedelta(seconds=10)


def test_a_city_without_categories_for_us_is_an_error() -> None:
    with pytest.raises(NoFamilies, match="1 categories"):
        Generator(places_from(FEATURES, 1), [("X", "无关", "event")], 1)


def test_places_lie_in_lowest_areas_under_names_that_occur_once() -> None:
    places = places_from(FEATURES, 1, per_area=6)
    assert len(places) == 240
    assert {place.area_code for place in places} == {feature["properties"]["code"] for feature in FEATURES[1:]}
    for place in places:
        west = 116.0 + 0.02 * int(place.area_code[2:])
        assert west <= place.lon <= west + 0.02
        assert 33.0 <= place.lat <= 33.02
    estates = [place.estate for place in places if place.estate]
    assert len(set(estates)) == len(estates) == 180


def test_a_flapping_device_is_raised_and_cleared_in_turn() -> None:
    events = list(flapping("P-7", "level.high", "level.normal", START, 20, seed=3))
    assert [event["type"] for event in events] == ["level.high", "level.normal"] * 10
    assert len({event["id"] for event in events}) == 20
    times = [datetime.fromisoformat(event["time"]) for event in events]
    assert times == sorted(times)
