"""Whatever comes in, the first half either names the field at fault or gives values that can be right."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatch.city.model import City
from dispatch.domain import reports
from dispatch.domain.errors import BadInput, NothingToActOn, NotPermitted
from dispatch.domain.reports import About, Caller, Location, Report
from dispatch.intake.alike import signs
from dispatch.intake.commit import Held
from dispatch.intake.locate import METRES_PER_DEGREE, metres, tile_of, tiles_near
from dispatch.intake.prepare import NEIGHBOURHOODS, prepare
from dispatch.intake.rarity import signed
from dispatch.intake.read import FUTURE, fingerprint
from dispatch.intake.texts import shipped
from dispatch.intake.weighed import Weighed
from dispatch.intake.words import WAYS, packed, unpacked
from dispatch.intake.words import words as read_words
from tests.harness.town import CONNECTOR, KEYRING, REPLAYER, START, principal

# What can stand in a text after decoding: anything but NUL and lone surrogates.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
codes = st.one_of(
    st.sampled_from(["E0506", "S010101", "S040302", "E9999", "", "990101", "990104", "drainage", "city"]), words
)
times = st.one_of(
    words,
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    st.integers(-600, 600).map(lambda minutes: (START + timedelta(minutes=minutes)).isoformat()),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-18", "2026-11-18T10:00:00"]),
)
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(116, 116.4),
    st.floats(33, 33.3),
    st.sampled_from([0.0, -180.0, 180.0, 90.0]),
)
systems = st.one_of(st.sampled_from(["wgs84", "cgcs2000", "gcj02", "bd09"]), words)
locations = st.builds(
    Location,
    lon=st.none() | numbers,
    lat=st.none() | numbers,
    crs=systems,
    address=st.none() | words,
    area_code=st.none() | codes,
)
callers = st.builds(
    Caller,
    name=st.none() | words,
    phone=st.one_of(st.none(), words.map(lambda text: text[:40]), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)),
)
kinds = st.none() | codes | st.sampled_from(sorted(reports.KINDS))
rubbish = st.builds(
    Report, channel=st.just("demo"), external_id=st.just("x"), kind=kinds, title=st.none() | words,
    text=st.none() | words, category=st.none() | codes, category_table=st.none() | codes, urgency=st.none() | codes, occurred_at=st.none() | times,
    received_at=st.none() | times, due_at=st.none() | times, assigned_unit=st.none() | codes, location=st.none() | locations,
    caller=st.none() | callers, about=st.none() | st.builds(About, unit=st.none() | codes, object=st.none() | words),
)  # fmt: skip


@given(report=rubbish)
@example(Report(channel="demo", external_id="x", text="在", location=Location(lon=-180.0, lat=0.5, crs="bd09")))
def test_preparing_refuses_with_a_field_or_leaves_nothing_that_cannot_be_right(city: City, report: Report) -> None:
    try:
        item = prepare(report, city=city, keyring=KEYRING, by=CONNECTOR, wall=START)
    except (BadInput, NothingToActOn) as refusal:
        assert refusal.data["field"] in ("text", "category")  # noqa: PT017
        return
    assert not isinstance(item, Held)
    reading, place = item.reading, item.place
    assert reading.kind in reports.KINDS
    assert reading.urgency in (None, *reports.URGENCIES)
    assert reading.received_at is None or reading.received_at <= START + FUTURE
    assert reading.due_at is None or reading.due_at > (reading.received_at or START)
    assert (place.lon is None) == (place.lat is None)
    if place.lon is not None and place.lat is not None:
        assert -180 <= place.lon <= 180
        assert -90 <= place.lat <= 90
        assert tile_of(place.lon, place.lat) in item.tiles
    assert all(area in city.map.areas for area in place.areas)
    assert item.about is None or item.about in city.units
    assert list(item.neighbourhoods) == sorted(set(item.neighbourhoods))
    assert all(0 <= n < NEIGHBOURHOODS for n in item.neighbourhoods)
    assert sorted(w.field for w in reading.warnings) == sorted(reading.set_aside)
    assert all(w.code and w.message for w in reading.warnings)
    assert item.category is not None or reading.masked.strip() or report.category == ""


@given(report=rubbish)
def test_a_source_that_reads_no_errors_is_never_refused(city: City, report: Report) -> None:
    prepare(msgspec.structs.replace(report, channel="history"), city=city, keyring=KEYRING, by=REPLAYER, wall=START)


@given(report=rubbish)
def test_a_desk_that_sends_what_only_relays_may_say_is_not_permitted(city: City, report: Report) -> None:
    relayed = [name for name in reports.RELAYED if getattr(report, name) is not None]
    try:
        prepare(report, city=city, keyring=KEYRING, by=principal("operator", "hotline"), wall=START)
    except NotPermitted as refusal:
        assert refusal.data["field"] == relayed[0]  # noqa: PT017
    except (BadInput, NothingToActOn):
        assert not relayed
    else:
        assert not relayed


@given(report=rubbish, other=rubbish)
def test_equal_fingerprints_are_equal_reports(report: Report, other: Report) -> None:
    again = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert fingerprint(again) == fingerprint(report)
    assert (fingerprint(other) == fingerprint(report)) == (other == report)


@given(lon=st.floats(73, 135), lat=st.floats(4, 53), east=st.floats(-1, 1), north=st.floats(-1, 1))
@example(lon=73.25, lat=48.0, east=0.0, north=0.0)
def test_two_points_within_the_radius_share_a_neighbourhood(lon: float, lat: float, east: float, north: float) -> None:
    degree = 150 / METRES_PER_DEGREE
    other = (lon + east * degree, lat + north * degree)
    if metres(lon, lat, *other) <= 150:
        assert tile_of(*other) in tiles_near(lon, lat, 150)
    assert len(tiles_near(lon, lat, 150)) <= (4 if lat <= 47.5 else 6)


texts = st.text("甲乙丙丁戊己路桥园 ，。", max_size=300)


@given(title=words | texts, text=words | texts)
def test_what_is_compared_survives_storage_whatever_was_written(title: str, text: str) -> None:
    said = read_words(title, text)
    assert unpacked(packed(said)) == said
    ways = said.ways.tolist()
    assert ways == sorted(set(ways))
    assert len(ways) <= WAYS
    assert all(-(2**31) <= run < 2**31 for run in signed(said.ways))
    assert [run % 2**32 for run in signed(said.ways)] == ways


@given(one=st.tuples(texts, texts), other=st.tuples(texts, texts))
def test_signs_do_not_depend_on_the_order_and_nothing_is_more_alike_than_itself(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    rarity = shipped().rarity
    mine, theirs = (Weighed(read_words(*each), rarity) for each in (one, other))
    assert signs(mine, theirs) == pytest.approx(signs(theirs, mine))
    assert signs(mine, theirs).shared <= signs(mine, mine).shared + 1e-6
    assert signs(mine, theirs).titles <= 1.0
    assert signs(mine, mine).shared == pytest.approx(1.0 if mine.mass else 0.0)
