"""What one case adds to the figures, indicator by indicator; and the traps that rates of others have fallen into."""

from datetime import date, timedelta
from typing import Any

import pytest

from dispatch.city.model import Indicators
from dispatch.indicators.contribution import NOTHING, Amount, Name, Sums, contribution
from dispatch.indicators.definitions import DEFINITIONS, Figure, published
from dispatch.indicators.story import tell
from tests.unit.indicators.record import START, Record, handled, rules, total


def summed(*records: Record, **settings: Any) -> dict[Name, Amount]:
    sums = Sums()
    for record in records:
        story = tell(record.bodies)
        assert story is not None
        sums.add(contribution(story, rules(**settings)))
    return sums.changed()


def told(found: dict[Name, Amount], name: str, dimension: str = "all", key: str = "", **settings: Any) -> Figure:
    """A published figure over all days."""
    parts: dict[str, Amount] = {}
    for (indicator, _, of, whose), amount in found.items():
        if (of, whose) == (dimension, key):
            held = parts.get(indicator, NOTHING)
            parts[indicator] = tuple(a + b for a, b in zip(held, amount, strict=True))  # type: ignore[assignment]
    return published(DEFINITIONS[name], parts, Indicators(**settings))


def test_a_case_comes_in_is_there_and_goes() -> None:
    record = Record()
    assert total(record.figures(), "in") == (1, 0, 0)
    assert total(record.figures(), "out") == (0, 0, 0)
    record.dispatched("drainage").signed().replied().approved().closed()
    assert total(record.figures(), "out") == (1, 0, 0)
    record.opened_again("restored")
    assert (total(record.figures(), "in"), total(record.figures(), "out")) == ((2, 0, 0), (1, 0, 0))


def test_a_merge_that_is_undone_leaves_one_open_case() -> None:
    found = Record().dispatched("gas").ended("merged").opened_again("unmerged").figures()
    assert total(found, "in")[0] - total(found, "out")[0] == 1
    assert total(found, "closure") == (0, 1, 0)
    assert total(found, "on_time_close") == (0, 0, 0)


def test_a_clock_that_runs_on_after_all_is_neither_met_nor_missed() -> None:
    record = Record().ended("answered")
    assert total(record.figures(), "on_time_close") == (1, 1, 0)
    assert total(record.opened_again("restored").figures(), "on_time_close") == (0, 0, 0)


def test_tasks_flow_through_the_units_that_have_them() -> None:
    found = Record().dispatched("gas").returned().dispatched("drainage").signed().replied().reworked().figures()
    assert total(found, "tasks_in", "unit", "gas") == total(found, "tasks_out", "unit", "gas") == (1, 0, 0)
    assert total(found, "tasks_in", "unit", "drainage") == (2, 0, 0)
    assert total(found, "tasks_out", "unit", "drainage") == (1, 0, 0)


def test_a_clock_counts_when_it_is_met_or_when_it_was_due_in_vain() -> None:
    early = Record().dispatched("gas").signed(2)
    assert total(early.figures(), "on_time_sign", "unit", "gas") == (1, 1, 0)
    assert total(early.figures(), "on_time_reply") == (0, 0, 0)
    late = Record().dispatched("gas").signed(9)
    assert total(late.figures(), "on_time_sign", "unit", "gas") == (0, 1, 0)
    unsigned = Record().dispatched("gas")
    unsigned.at += timedelta(hours=30)
    found = unsigned.late("sign").figures()
    # Due at 11:00 in Shanghai on the day of dispatch plus eight hours: that day, not the one on which it was noticed.
    assert found["on_time_sign", date(2026, 11, 18), "unit", "gas"] == (0, 1, 0, 0)


def test_the_case_clock_is_on_the_account_of_the_lead_wherever_the_case_lies_when_it_ends() -> None:
    assert total(handled("gas").figures(), "on_time_close", "unit", "gas") == (1, 1, 0)
    assert total(handled("gas").figures(), "on_time_dispatch", "unit", "dispatch") == (1, 1, 0)


def test_only_valid_follow_ups_are_in_the_three_rates() -> None:
    nobody = handled().followed_up(valid=False, contacted=False, solved=None, satisfied=None)
    assert total(nobody.figures(), "solved") == (0, 0, 0)
    assert total(nobody.figures(), "followup_valid") == (0, 1, 0)
    found = nobody.followed_up(solved=False, satisfied=2).figures()
    assert total(found, "contacted", "unit", "drainage") == (1, 1, 0)
    assert total(found, "solved", "unit", "drainage") == (0, 1, 0)
    assert total(found, "satisfied", "unit", "drainage") == (0, 1, 0)
    assert total(found, "followup_valid") == (1, 2, 0)


def test_the_last_valid_follow_up_of_a_round_counts_and_every_round_has_its_own() -> None:
    record = handled().followed_up(solved=False, satisfied=1).followed_up(solved=True, satisfied=4)
    assert total(record.figures(), "solved") == (1, 1, 0)
    record.reworked().signed().replied().approved().followed_up(solved=False, satisfied=1)
    assert total(record.figures(), "solved") == (1, 2, 0)


@pytest.mark.parametrize(("level", "value"), [(5, 1.0), (4, 1.0), (3, 0.9), (2, 0.0), (1, 0.0), (None, 0.0)])
def test_basically_satisfied_counts_for_nine_tenths(level: int | None, value: float) -> None:
    found = handled().followed_up(satisfied=level).figures()
    assert told(found, "satisfaction_rate").value == value
    halved = told(found, "satisfaction_rate", basically_satisfied=0.5)
    assert halved.value == (0.5 if level == 3 else value)


def test_the_composite_score_weighs_the_three_rates_and_stays_between_nought_and_one() -> None:
    found = summed(handled().followed_up(), handled().followed_up(solved=False, satisfied=3))
    # Contacted 2/2, solved 1/2, satisfied (1 + 0.9)/2.
    assert told(found, "composite_score").value == pytest.approx(0.1 + 0.5 * 0.5 + 0.4 * 0.95)
    # Weights are shares of their sum, whatever they add up to: nothing is multiplied by a hundred, let alone twice.
    assert told(
        found, "composite_score", weight_response=1, weight_solved=1, weight_satisfied=1
    ).value == pytest.approx((1 + 0.5 + 0.95) / 3, abs=1e-6)
    best = told(
        summed(handled().followed_up()), "composite_score", weight_response=1, weight_solved=1, weight_satisfied=1
    )
    assert best.value == 1.0
    assert told(found, "composite_score", weight_response=0, weight_solved=0, weight_satisfied=0).value is None


def test_closing_what_is_not_solved_raises_the_closure_rate_and_lowers_the_solved_rate() -> None:
    solved, open_ = handled().followed_up().closed(), handled()
    before = summed(solved, open_)
    after = summed(solved, open_.followed_up(solved=False, satisfied=1).closed(solved=False))
    for name in ("solved_rate", "solved_of_closed"):
        assert told(before, name, "area", "01010101").value == 1.0
        assert told(after, name, "area", "01010101").value == 0.5
    assert told(before, "closure_rate", "area", "01010101").value == 0.5
    assert told(after, "closure_rate", "area", "01010101").value == 1.0


def test_a_closing_that_does_not_say_whether_it_was_solved_is_in_no_solved_rate() -> None:
    found = handled().closed(solved=None).figures()
    assert total(found, "solved_of_closed") == (0, 0, 0)
    assert total(found, "closure") == (1, 1, 0)


def test_returns_are_counted_by_task_and_handing_up_is_none() -> None:
    found = Record().dispatched("gas").returned().dispatched("drainage").figures()
    assert total(found, "returned") == (1, 2, 0)
    assert total(found, "returned", "unit", "gas") == (1, 1, 0)
    assert total(Record().dispatched("gas").returned(reason="handed_up").figures(), "returned") == (0, 1, 0)


def test_rework_has_two_denominators_and_each_its_own_name() -> None:
    again = handled("gas").reworked()
    missed = Record().dispatched("gas").signed()
    missed.at += timedelta(days=9)
    found = summed(again, missed.late("reply"))
    assert total(found, "rework_of_replied", "unit", "gas") == (1, 1, 0)
    assert total(found, "rework_of_due", "unit", "gas") == (1, 2, 0)
    names = [each.name for each in DEFINITIONS.values()]
    assert len(set(names)) == len(names)
    assert len({each.zh for each in DEFINITIONS.values()}) == len(names)
    assert all(each.numerator and each.denominator and each.excluded and each.source for each in DEFINITIONS.values())


def test_what_is_reworked_often_is_at_most_every_answer() -> None:
    record = handled("gas")
    for _ in range(3):
        record.reworked().replied().approved()
    assert total(record.figures(), "rework_of_replied") == (3, 4, 0)
    assert total(record.figures(), "rework_of_due") == (3, 4, 0)


def test_first_dispatch_is_right_when_no_other_unit_led_that_round() -> None:
    assert total(handled("gas").figures(), "first_dispatch") == (1, 1, 0)
    moved = Record().dispatched("gas").returned().dispatched("drainage").figures()
    assert total(moved, "first_dispatch", "unit", "gas") == (0, 1, 0)
    assert total(moved, "hops") == (2, 1, 0)


def test_answered_at_once_is_without_a_unit_and_calls_without_a_matter_are_left_out() -> None:
    assert total(Record().ended("answered").figures(), "answered_directly") == (1, 1, 0)
    assert total(handled().figures(), "answered_directly") == (0, 1, 0)
    silent = Record()
    silent.add(1, [("ended", {})])
    assert total(silent.figures(), "answered_directly") == (0, 0, 1)


def test_a_visit_soon_after_another_is_a_repeated_one_and_a_shared_one_is_spared() -> None:
    record = (
        Record()
        .looked("site_check_asked", shared=False)
        .looked("site_checked")
        .looked("site_check_asked", shared=False)
    )
    assert total(record.figures(), "repeat_visits") == (1, 2, 0)
    assert total(record.figures(repeat_visit_hours=1), "repeat_visits") == (1, 2, 0)
    record.looked("site_checked").looked("site_check_asked", hours=30, shared=False).looked("site_check_reused")
    assert total(record.figures(), "repeat_visits") == (1, 3, 0)
    assert total(record.figures(), "visits_spared") == (1, 4, 0)


def test_time_past_the_limit_is_charged_to_who_held_the_case() -> None:
    record = Record().dispatched("gas", hours=1).signed(100)
    record.at = START + timedelta(hours=120)
    record.late().replied(10).approved(5)
    found = record.figures()
    assert total(found, "late_handling", "unit", "gas") == (600, 1, 0)
    assert total(found, "late_review", "unit", "dispatch") == (300, 1, 0)
    assert total(found, "late_to_sign") == (0, 0, 0)
    assert total(found, "on_time_close", "unit", "gas") == (0, 1, 0)


def test_durations_are_told_by_percentiles_of_a_fixed_scale() -> None:
    quick, slow = (Record().dispatched("gas").signed(hours) for hours in (0.5, 6.5))
    found = summed(*[quick] * 9, slow)
    figure = told(found, "time_sign", "unit", "gas")
    assert figure.denominator == 10
    # Half an hour lies between 25 and 31.5 minutes, six and a half hours between 315 and 400.
    assert figure.percentiles == {"p50": 1890, "p90": 1890, "p95": 24000}
    assert told(found, "time_close").percentiles == {"p50": None, "p90": None, "p95": None}


@pytest.mark.parametrize(
    ("kind", "moved", "kept"),
    [
        ("lateness", {"on_time_sign", "on_time_reply", "on_time_close"}, {"solved", "returned"}),
        ("rating", {"contacted", "solved", "satisfied", "basically_satisfied"}, {"on_time_sign", "returned"}),
        (
            "exclusion",
            {"on_time_sign", "on_time_reply", "on_time_close", "solved", "satisfied", "returned", "closure"},
            {"in"},
        ),
    ],
)
def test_an_approved_final_appeal_moves_what_it_is_about_and_the_raw_figure_stays(
    kind: str, moved: set[str], kept: set[str]
) -> None:
    record = handled("gas").followed_up(solved=False, satisfied=1)
    before = record.figures()
    refused = record.appealed(kind, "gas", final=False).appealed(kind, "gas", approved=False)
    other = refused.appealed(kind, "drainage").appealed(kind, "gas", round=2)
    assert other.figures() == before
    after = record.appealed(kind, "gas").figures()
    for name in moved:
        numerator, denominator, excluded = total(before, name, "unit", "gas")
        assert (denominator, excluded) == (1, 0), name
        assert total(after, name, "unit", "gas") == (0, 0, 1), name
        (amount,) = [amount for key, amount in after.items() if (key[0], key[2]) == (name, "unit") and key[3] == "gas"]
        assert amount == (0, 0, 1, numerator), name
    for name in kept:
        assert total(after, name) == total(before, name), name
    assert total(after, "on_time_dispatch", "unit", "dispatch") == (1, 1, 0)
    assert record.figures(appeals=()) == before


def test_an_appeal_is_about_one_round_also_where_one_task_goes_through_several() -> None:
    record = Record().dispatched("gas").signed().replied()
    record.round = 2
    again = record._clock("reply", record.lead, "gas", 5)
    row = [record.lead, {"state": "handling", "replied_at": None}]
    record.add(
        1,
        [("reworked", {"round": 2, "unit": "gas"})],
        case={"state": "handling", "round": 2},
        tasks=[row],
        clocks=[again],
    )
    record.replied(9)
    assert total(record.figures(), "on_time_reply", "unit", "gas") == (1, 2, 0)
    assert total(record.figures(), "tasks_in", "unit", "gas") == (2, 0, 0)
    assert total(record.figures(), "rework_of_replied", "unit", "gas") == (1, 2, 0)
    assert total(record.appealed("lateness", "gas", round=2).figures(), "on_time_reply", "unit", "gas") == (1, 1, 1)


def test_value_and_raw_are_both_told() -> None:
    found = summed(handled("gas").followed_up(solved=False).appealed("rating", "gas"), handled("gas").followed_up())
    figure = told(found, "solved_rate", "unit", "gas")
    assert (figure.numerator, figure.denominator, figure.excluded, figure.value, figure.raw) == (1, 1, 1, 1.0, 0.5)


def test_kinds_and_channels_that_are_not_assessed_are_in_no_denominator_and_counted_all_the_same() -> None:
    for settings in ({"unassessed_kinds": ("complaint",)}, {"unassessed_channels": ("call",)}):
        found = handled("gas").figures(**settings)
        assert total(found, "on_time_sign") == (0, 0, 1)
        assert total(found, "in") == (1, 0, 0)


def test_a_day_goes_from_midnight_to_midnight_in_the_city_or_from_noon_to_noon() -> None:
    morning = Record()  # ten in the morning in Shanghai
    afternoon = Record(at=START + timedelta(hours=3))
    late = Record(at=START + timedelta(hours=15))  # one in the night in Shanghai, still the 18th in London
    days = [date(2026, 11, day) for day in (18, 18, 19)]
    noons = [date(2026, 11, day) for day in (18, 19, 19)]
    for record, day, noon in zip((morning, afternoon, late), days, noons, strict=True):
        assert ("in", day, "all", "") in record.figures()
        assert ("in", noon, "all", "") in record.figures(day_ends="noon")


def test_a_restricted_case_is_in_no_figure_that_could_point_at_it() -> None:
    found = handled("gas", restricted=True).followed_up().closed().figures()
    assert {(dimension, key) for _, _, dimension, key in found} == {("all", ""), ("area", "01"), ("area", "0101")}
    assert total(found, "solved") == (1, 1, 0)
    later = handled("gas")
    later.add(1, [("classified", {"restricted": True})], case={"restricted": True})
    assert not any(dimension == "unit" for _, _, dimension, _ in later.figures())


def test_every_dimension_has_the_case_once_and_areas_have_it_all_the_way_up() -> None:
    found = handled("gas", category="E0110", channel="app").figures()
    where = {(dimension, key) for indicator, _, dimension, key in found if indicator == "in"}
    areas = {("area", code) for code in ("01", "0101", "010101", "01010101")}
    assert where == {("all", ""), ("category", "E0110"), ("channel", "app"), *areas}


def test_a_record_that_does_not_say_what_it_wrote_adds_nothing() -> None:
    assert tell([b'{"at":"2026-11-18T02:00:00Z","type":"received"}']) is None
    assert tell([b"nothing"]) is None
