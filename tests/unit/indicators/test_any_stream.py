"""Whatever a case goes through: no rate above one, areas add up, and counting as it goes gives what counting at the end gives."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from dispatch.city.model import Indicators
from dispatch.indicators.contribution import NOTHING, Amount, Contribution, Name, Sums, contribution, pack, unpack
from dispatch.indicators.definitions import DEFINITIONS, RATES, published
from dispatch.indicators.rules import Rules
from dispatch.indicators.story import tell
from tests.unit.indicators.record import AREAS, Record, rules

HOURS = st.sampled_from([0.1, 1.0, 7.0, 30.0, 200.0])
UNITS = st.sampled_from(["gas", "drainage", "water"])
COUNTED = ("in", "out", "tasks_in", "tasks_out", "hops")


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A case that does what its state allows, for as long as it goes."""
    record = Record(
        area=draw(st.sampled_from([*AREAS.areas, "nowhere"])),
        restricted=draw(st.integers(0, 5)) == 0,
        kind=draw(st.sampled_from(["complaint", "consult"])),
        channel=draw(st.sampled_from(["call", "app"])),
    )
    for _ in range(draw(st.integers(0, 14))):
        step(draw, record)
    return record


def step(draw: st.DrawFn, record: Record) -> None:
    """One step of those that are possible."""
    hours, state = draw(HOURS), record.state
    possible = {
        "triage": ["dispatched", "ended", "look", "checked"],
        "returned": ["dispatched", "ended", "look", "checked"],
        "to_sign": ["signed", "returned", "dispatched", "late", "merged"],
        "handling": ["replied", "returned", "dispatched", "late", "merged"],
        "review": ["approved", "reworked", "late"],
        "followup": ["followed_up", "followed_up", "closed", "reworked"],
        "closed": ["appealed", "followed_up"],
    }.get(state, ["opened_again", "appealed"])
    match draw(st.sampled_from([*possible, "appealed"])):
        case "dispatched":
            record.dispatched(draw(UNITS), hours)
        case "ended":
            record.ended(draw(st.sampled_from(["answered", "rejected"])), hours)
        case "merged":
            record.ended("merged", hours)
        case "opened_again":
            record.opened_again("restored", hours)
        case "late":
            clocks = {"close": None} | ({"sign": record.lead, "reply": record.lead} if record.lead else {})
            keys = [(name, task, record.round) for name, task in clocks.items()]
            running = [key for key in keys if key in record.due and key not in record.stopped]
            if running:
                key = draw(st.sampled_from(running))
                record.at = max(record.at, record.due[key])
                record.late(key[0])
        case "look":
            record.looked("site_check_asked", hours, shared=draw(st.booleans()))
        case "checked":
            record.looked("site_checked", hours)
        case "appealed":
            kind = draw(st.sampled_from(["lateness", "rating", "exclusion"]))
            record.appealed(kind, draw(UNITS), round=draw(st.integers(1, record.round)), final=draw(st.booleans()))
        case "closed":
            record.closed(hours, draw(st.sampled_from([True, False, None])))
        case "followed_up":
            maybe = st.sampled_from([True, False, None])
            record.followed_up(
                hours, valid=draw(st.booleans()), contacted=draw(st.booleans()), solved=draw(maybe),
                satisfied=draw(st.sampled_from([None, 1, 2, 3, 4, 5])), round=draw(st.integers(1, record.round)),
            )  # fmt: skip
        case name:
            getattr(record, name)(hours)


def of(record: Record, under: Rules, upto: int | None = None) -> Contribution:
    story = tell(record.bodies[:upto])
    assert story is not None
    return contribution(story, under)


def summed(all_: Iterable[Contribution]) -> dict[Name, Amount]:
    sums = Sums()
    for each in all_:
        sums.add(each)
    return sums.changed()


@given(
    st.lists(records(), max_size=4),
    st.sampled_from([{}, {"appeals": ()}, {"unassessed_kinds": ("consult",)}, {"day_ends": "noon"}]),
)
def test_no_rate_is_below_nought_or_above_one(cases: list[Record], settings: dict[str, object]) -> None:
    found = summed(of(each, rules(**settings)) for each in cases)
    for (indicator, *_), (numerator, denominator, excluded, outside) in found.items():
        assert min(numerator, denominator, excluded, outside) >= 0
        if indicator not in COUNTED and not indicator.startswith(("late_", "time_")):
            assert numerator <= denominator, indicator
            assert outside <= excluded, indicator
    for place in {name[1:] for name in found}:
        parts = {name[0]: amount for name, amount in found.items() if name[1:] == place}
        for rate in RATES:
            figure = published(DEFINITIONS[rate], parts, Indicators())
            assert figure.value is None or 0 <= figure.value <= 1, figure
            assert figure.raw is None or 0 <= figure.raw <= 1, figure
            assert (figure.value is None) == (not figure.denominator)


@given(st.lists(records(), max_size=5))
def test_an_area_is_the_sum_of_the_areas_in_it_and_of_what_is_its_own(cases: list[Record]) -> None:
    kept = [of(each, rules()) for each in cases]
    found = summed(kept)
    own = summed(Contribution(each.areas[:1], "", "", True, each.entries) for each in kept)
    for indicator, day, dimension, area in found:
        if dimension == "area":
            below = [child.code for child in AREAS.areas.values() if child.parent == area]
            parts = [found.get((indicator, day, "area", code), NOTHING) for code in below]
            parts.append(own.get((indicator, day, "area", area), NOTHING))
            assert found[indicator, day, dimension, area] == tuple(map(sum, zip(*parts, strict=True)))


@given(st.lists(records(), max_size=5))
def test_what_is_on_a_units_account_adds_up_to_the_whole_but_for_restricted_cases(cases: list[Record]) -> None:
    found = summed(of(each, rules()) for each in cases if not each.restricted)
    for indicator in (
        "on_time_sign",
        "on_time_reply",
        "returned",
        "solved",
        "rework_of_due",
        "tasks_in",
        "first_dispatch",
    ):
        for nth in range(4):
            whole, units = (
                sum(amount[nth] for name, amount in found.items() if (name[0], name[2]) == (indicator, dimension))
                for dimension in ("all", "unit")
            )
            assert whole == units, indicator


@given(st.lists(records(), min_size=1, max_size=4), st.data())
def test_counting_as_it_goes_gives_what_counting_at_the_end_gives(cases: list[Record], data: st.DataObject) -> None:
    under, sums = rules(), Sums()
    kept: dict[int, bytes] = {}
    turns = data.draw(st.lists(st.tuples(st.integers(0, len(cases) - 1), st.integers(1, 30)), max_size=12))
    for nth, upto in (*turns, *((nth, 10**6) for nth in data.draw(st.permutations(range(len(cases)))))):
        if nth in kept:
            sums.add(unpack(kept[nth]), -1)
        made = of(cases[nth], under, upto)
        kept[nth] = pack(made)
        sums.add(made)
    assert sums.changed() == summed(of(each, under) for each in cases)
